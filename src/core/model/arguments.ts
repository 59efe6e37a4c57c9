import * as v from 'valibot';
import { OtaError } from '../../errors/ota-error.ts';
import { didYouMean } from './nearest-names.ts';

/**
 * Rejects an argument of a library function that has a wrong value, lacks a required option or has an unknown one. The type declarations
 * cannot protect callers in JavaScript, and a misspelled option would be ignored.
 *
 * @param call name of the function as callers know it
 * @throws OtaError ARGUMENT_INVALID for the first problem; the message contains no value, because a value may be a secret
 */
export function requireArgument(call: string, schema: v.GenericSchema, value: unknown): void {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return;
  const [issue] = result.issues;
  const place = v.getDotPath(issue) ?? undefined;
  throw new OtaError('ARGUMENT_INVALID', { call, problem: problemOf(issue, place), hint: hintOf(issue, schema) });
}

function problemOf(issue: v.BaseIssue<unknown>, place = 'the argument'): string {
  if (isUnknownKey(issue)) return `${place} is not an option`;
  if (issue.input === undefined) return `${place} is missing`;
  // Messages of the schema library contain the value. Messages that this project wrote begin with "must".
  if (issue.message.startsWith('must ')) return `${place} ${issue.message}`;
  return `${place} must be ${expected(issue)}, but is ${typeName(issue.input)}`;
}

function expected(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' || issue.type === 'object') return 'an object';
  return issue.expected?.replaceAll(/[()]/g, '').replaceAll(' | ', ' or ') ?? 'valid';
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return `a ${typeof value}`;
  return Object.getPrototypeOf(value)?.constructor?.name ?? 'an object';
}

/** Returns true for a key that no option has. A missing key has the same type of issue, with the name of the key as expected. */
function isUnknownKey({ type, expected: wanted }: v.BaseIssue<unknown>): boolean {
  return type === 'strict_object' && wanted === 'never';
}

function hintOf(issue: v.BaseIssue<unknown>, schema: v.GenericSchema): string {
  const [item] = issue.path?.slice(-1) ?? [];
  const isTopLevel = issue.path?.length === 1;
  const known = isUnknownKey(issue) && isTopLevel && 'entries' in schema ? Object.keys(schema.entries as object) : [];
  return didYouMean(String(item?.key ?? ''), known);
}

/** Schemas for values that plain data does not contain. */
export const bytes = v.instance(Uint8Array);
export const abortSignal = v.instance(AbortSignal);
export const someFunction = v.function();
/** Data with a type of its own, which other functions of the library return and check. */
export const anObject = v.custom<object>((value) => typeof value === 'object' && value !== null, 'must be an object');
export const publicKey = v.custom<object>(
  (value) => typeof value === 'object' && value !== null && 'keyObject' in value && 'modulus' in value,
  'must be a key that readPublicKey or readPrivateKey returned',
);
export const durationMs = v.pipe(v.number(), v.minValue(0, 'must be at least 0'));
export const portNumber = v.pipe(
  v.number(),
  v.integer('must be an integer'),
  v.minValue(0, 'must be from 0 to 65535'),
  v.maxValue(65_535, 'must be from 0 to 65535'),
);
