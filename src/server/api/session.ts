import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import type { Role } from '../../domain/release.ts';
import { clientAddress } from '../access/client-address.ts';
import { findToken, includesRole } from '../access/tokens.ts';
import type { ServerParts } from '../parts.ts';
import type { TokenRecord } from '../store/records.ts';
import { ApiError } from './api-error.ts';

/** What handlers of the API find in their context. */
export interface Session {
  Variables: { token: TokenRecord };
  Bindings: Partial<HttpBindings>;
}

/**
 * Lets those in whose token has the role. One that is bound to a project is good for the paths of that project, and for what belongs to
 * none (`anyProject`).
 */
export function requireRole(
  { store, failures, trustedProxies }: ServerParts,
  role: Role,
  { anyProject = false }: { anyProject?: boolean } = {},
): MiddlewareHandler<Session> {
  return async (context, next) => {
    const { incoming } = context.env ?? {};
    const address = incoming === undefined ? 'this process' : clientAddress(incoming, trustedProxies);
    const say = (code: 'not-authorised' | 'role-missing', message: string, hint: string) => {
      if (!failures.take(address)) throw tooMany();
      return new ApiError(code, message, hint);
    };
    // A good token is let in whatever else came from its address: nobody guesses 256 bits, and a house full of misled devices must not
    // keep its owner out.
    const token = await findToken(store.tokens, context.req.header('authorization'));
    if (token === undefined) {
      throw say(
        'not-authorised',
        'there is no such token',
        'Send Authorization: Bearer TOKEN; `ota-hooks server token create` makes one.',
      );
    }
    if (!includesRole(token.role, role)) {
      throw say(
        'role-missing',
        `the token has the role ${token.role}, and this takes ${role}`,
        'Use a token with that role.',
      );
    }
    const project = context.req.param('project');
    if (token.project !== undefined && token.project !== project && !(anyProject && project === undefined)) {
      throw say(
        'role-missing',
        `the token is good for project ${token.project} only`,
        'Use a token without a project, or of this one.',
      );
    }
    context.set('token', token);
    await next();
  };
}

function tooMany(): ApiError {
  return new ApiError('too-many-requests', 'too many requests of this address were refused', 'Wait a minute.');
}

/** A manifest of the largest size as JSON, and then some. */
const mostBodyBytes = 2 * 1024 * 1024;

/** @throws ApiError too-large, bad-request, invalid */
export async function readBody<Schema extends v.GenericSchema>(
  context: Context<Session>,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const text = await readText(context);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ApiError('bad-request', 'the body is not JSON', 'Send one JSON document as application/json.');
  }
  return checked(schema, json);
}

/** What is announced too large is not even read. */
async function readText(context: Context<Session>): Promise<string> {
  const tooLarge = () =>
    new ApiError('too-large', `a body may have ${mostBodyBytes} bytes at most`, 'Bytes go to /uploads.');
  if (Number(context.req.header('content-length') ?? 0) > mostBodyBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of bodyChunks(context)) {
    sizeBytes += chunk.length;
    if (sizeBytes > mostBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * A client that goes away in the middle is no failure of ours.
 *
 * @throws ApiError bad-request
 */
export async function* bodyChunks({ req }: Context<Session>): AsyncGenerator<Uint8Array> {
  try {
    yield* req.raw.body ?? [];
  } catch {
    throw new ApiError('bad-request', 'the body broke off', 'Send it again; an upload goes on where it stopped.');
  }
}

/** @throws ApiError invalid */
export function checked<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`);
  throw new ApiError('invalid', problems.join('; '), 'Mend what is named.', { problems });
}

/** A whole number in the query. */
export function numberIn(context: Context<Session>, name: string, otherwise: number, most: number): number {
  const text = context.req.query(name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value > most) {
    throw new ApiError('invalid', `${name} must be a whole number up to ${most}`, 'Mend the query.');
  }
  return value;
}
