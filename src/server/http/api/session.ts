import { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import { isNestedDeeper } from '../../../files/json-depth.ts';
import { clientAddress } from '../../auth/client-address.ts';
import { type Action, permits, rolesFor, rolesText } from '../../auth/permissions.ts';
import { findToken } from '../../auth/tokens.ts';
import { countIn } from '../../observability/counters.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import type { TokenRecord } from '../../storage/records.ts';

/** Hono environment for the API handlers. */
export interface Session {
  Variables: { token: TokenRecord };
  Bindings: Partial<HttpBindings>;
}

/**
 * Requires a token that permits an action. A token for one project is valid for that project's paths and, with `anyProject`, for paths that do
 * not name a project.
 */
export function requireAction(
  { store, catalog, accessFailures, isTrustedProxy, refusals, counters }: ServerParts,
  action: Action,
  { anyProject = false }: { anyProject?: boolean } = {},
): MiddlewareHandler<Session> {
  return async (context, next) => {
    const { incoming } = context.env ?? {};
    const address = incoming === undefined ? 'this process' : clientAddress(incoming, isTrustedProxy);
    const refuse = async (code: 'not-authorized' | 'role-missing', message: string, hint: string, by?: string) => {
      const kind = code === 'role-missing' ? 'role' : 'token';
      refusals.note(address, kind, by);
      countIn(counters.rejectedAccess, kind);
      if (!(await accessFailures.take(address))) throw tooMany(message, hint);
      return new DomainError(code, message, hint);
    };
    // Accept a valid token even from a rate-limited address: misconfigured devices must not lock out an owner who uses the same address.
    const token = await findToken(store.tokens, context.req.header('authorization'));
    if (token === undefined) {
      throw await refuse(
        'not-authorized',
        'missing, unknown or revoked token',
        'Send Authorization: Bearer TOKEN. An admin creates tokens with `ota-hooks server tokens create`.',
      );
    }
    if (!permits(token, action)) {
      const wanted = rolesFor(action).join(' or ');
      throw await refuse(
        'role-missing',
        `this request requires the role ${wanted}, but the token has the ${rolesText(token.roles)}`,
        `Use a token with the role ${wanted}.`,
        token.id,
      );
    }
    const project = context.req.param('project');
    if (token.project !== undefined && token.project !== project && !(anyProject && project === undefined)) {
      throw await refuse(
        'role-missing',
        `the token is valid only for project ${token.project}`,
        'Use a token for the requested project or for all projects.',
        token.id,
      );
    }
    await catalog.update();
    context.set('token', token);
    await next();
  };
}

/** Also contains the reason why this request was rejected: a valid token is accepted in spite of the limit, so waiting would not help. */
function tooMany(message: string, hint: string): DomainError {
  return new DomainError('too-many-requests', `${message}; also, too many failed requests from this address`, hint);
}

/** Maximum size of a JSON body: the largest manifest, plus a margin. */
const mostBodyBytes = 2 * 1024 * 1024;
/** Maximum nesting depth of a JSON body; no valid request exceeds it. V8 takes 0.4 s to parse 2 MB of brackets. */
const mostLevels = 16;
/** Maximum size of a body for which all problems are reported. Listing the problems of a million invalid items requires 4 s and 1 GB. */
const mostBytesWithAllProblems = 64 * 1024;

/**
 * Reads the body as JSON and validates it.
 *
 * @throws DomainError too-large, bad-request, invalid
 */
export async function readBody<Schema extends v.GenericSchema>(
  context: Context<Session>,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const text = await readText(context);
  if (isNestedDeeper(text, mostLevels)) {
    throw new DomainError(
      'bad-request',
      `the body has more than ${mostLevels} levels of nesting`,
      'Send one JSON document as the API documentation describes it.',
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new DomainError('bad-request', 'the body is not JSON', 'Send one JSON document as application/json.');
  }
  return checked(schema, json, { abortEarly: text.length > mostBytesWithAllProblems });
}

/** Reads the body as text. If Content-Length exceeds the limit, the body is rejected without being read. */
async function readText(context: Context<Session>): Promise<string> {
  const tooLarge = () =>
    new DomainError('too-large', `the body is larger than ${mostBodyBytes} bytes`, 'Send artifacts to /uploads.');
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
 * Reads the body in chunks, only as fast as the caller consumes them. A web stream around the request would buffer all data that the client
 * sends. A client that disconnects does not count as a server error.
 *
 * @throws DomainError bad-request
 */
export async function* bodyChunks({ req, env }: Context<Session>): AsyncGenerator<Uint8Array> {
  const { incoming } = env ?? {};
  try {
    // Keep the request open on an error. Destroying the request would also destroy the connection, so no response could be sent.
    yield* incoming instanceof IncomingMessage ? incoming.iterator({ destroyOnReturn: false }) : (req.raw.body ?? []);
  } catch {
    throw new DomainError(
      'bad-request',
      'the body is incomplete',
      'Send the request again; continue an upload at the offset that the server reports.',
    );
  }
}

/**
 * Returns the input as parsed by the schema.
 *
 * @throws DomainError invalid
 */
export function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  options: v.Config<v.InferIssue<Schema>> = {},
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, options);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the value'}: ${issue.message}`);
  throw new DomainError('invalid', problems.join('; '), 'Correct the listed fields.', { problems });
}
