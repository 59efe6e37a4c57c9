import * as v from 'valibot';
import { printableText } from './unprintable.ts';

/** Field schemas shared by manifests and device facts. */
export const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'));
export const md5 = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'must be an MD5 in lower-case hex'));
export const sizeBytes = v.pipe(v.number(), v.integer(), v.minValue(0));
/** Rule for names, labels and reasons, which are shown on terminals and pages. */
export const printable = v.regex<string, string>(
  printableText,
  'must not contain control characters or text direction marks',
);
export const flashMode = v.picklist(['qio', 'qout', 'dio', 'dout']);

/**
 * `true` if two types are identical. Public interfaces are written out, so that the package's type declarations do not depend on the
 * schema library. `true satisfies Same<Interface, v.InferOutput<typeof schema>>` fails to compile if an interface differs from its
 * schema.
 */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Deeply read-only form of a type. */
export type DeepReadonly<Value> = Value extends object
  ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
  : Value;

/** Reason why a project allows a preflight rule. */
export const allowanceReason = v.pipe(
  v.string('must be a string with the reason'),
  v.regex(/\S/, 'must be a string with the reason'),
  v.maxLength(200, 'must have at most 200 characters'),
  printable,
);
