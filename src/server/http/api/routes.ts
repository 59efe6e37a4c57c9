import type { Context, Hono, MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import type { DeepReadonly } from '../../../core/model/fields.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import type { TokenRecord } from '../../storage/records.ts';
import { type Operation, type ParametersOf, parameterNames, pathParameters } from './operations/operation.ts';
import { bodyOf, statusOf } from './problem-of.ts';
import { checked, readBody, requireAction, type Session } from './session.ts';

/** Request of an operation, as its declaration describes it. */
interface Call<Of extends Operation> {
  readonly context: Context<Session>;
  readonly token: TokenRecord;
  readonly params: ParametersOf<Of['path']>;
  readonly query: OutputOf<Of['query']>;
  readonly headers: OutputOf<Of['headers']>;
  /** Reads and checks the body. A handler calls this after the checks that need no body. */
  body(): Promise<OutputOf<Of['body']>>;
}

type OutputOf<Schema> = Schema extends v.GenericSchema ? v.InferOutput<Schema> : undefined;

/** Returns the JSON of a successful response, or a whole response if it is not JSON. */
type Handler<Of extends Operation> = (call: Call<Of>) => Result<Of['response']> | Promise<Result<Of['response']>>;
type Result<Body> = Body extends v.GenericSchema ? DeepReadonly<v.InferOutput<Body>> : Response;

/** Operation with its handler. */
export interface Route {
  readonly operation: Operation;
  readonly respond: (context: Context<Session>) => Promise<Response>;
}

/** Connects an operation with its handler. */
export function route<const Of extends Operation>(operation: Of, handler: Handler<Of>): Route {
  return {
    operation,
    async respond(context) {
      const result = await handler(callOf(operation, context));
      return result instanceof Response ? result : context.json(result);
    },
  };
}

function callOf<Of extends Operation>(operation: Of, context: Context<Session>): Call<Of> {
  const { path, query, headers, body } = operation;
  const params = parameterNames(path).map((name) => [name, checked(pathParameters[name], context.req.param(name))]);
  context.status(operation.statuses[0]);
  // The schemas of the declaration, of which the compiler knows only that they are schemas, return these types.
  return {
    context,
    token: context.get('token'),
    params: Object.fromEntries(params),
    query: query && checked(query, queryOf(context)),
    headers: headers && checkedHeaders(headers, context),
    body: async () => (body === undefined || body === 'bytes' ? undefined : readBody(context, body)),
  } as Call<Of>;
}

/** Returns the query with one value for each name, because parts of a chain of proxies may use different ones of several values. */
function queryOf(context: Context<Session>): Record<string, string | undefined> {
  const entries = Object.entries(context.req.queries());
  const repeated = entries.find(([, values]) => values.length > 1);
  if (repeated === undefined) return Object.fromEntries(entries.map(([name, [value]]) => [name, value]));
  throw new DomainError('invalid', `the URL contains ${repeated[0]} more than once`, 'Set each parameter once.');
}

function checkedHeaders(schema: v.GenericSchema, context: Context<Session>): unknown {
  const { success, output, issues } = v.safeParse(schema, context.req.header());
  if (success) return output;
  const problems = issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`);
  throw new DomainError(
    'bad-request',
    problems.join('; '),
    'Set these headers as the API documentation describes them.',
  );
}

/**
 * Adds routes to the app. On a path of the API, a request with a different method receives a response that lists the methods. A path
 * without parameters precedes the paths with parameters that match it.
 */
export function addRoutes(app: Hono<Session>, parts: ServerParts, routes: readonly Route[]): void {
  const paths = [...new Set(routes.map(({ operation }) => operation.path))].sort();
  for (const path of paths) {
    const onPath = routes.filter(({ operation }) => operation.path === path);
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
    for (const { operation, respond } of onPath) {
      const { method, action, anyProject = false } = operation;
      app.on(method.toUpperCase(), pattern, requireAction(parts, action, { anyProject }), respond);
    }
    app.all(pattern, refuseMethod(onPath.map(({ operation }) => operation.method.toUpperCase())));
  }
}

function refuseMethod(methods: readonly string[]): MiddlewareHandler<Session> {
  const allowed = methods.flatMap((method) => (method === 'GET' ? [method, 'HEAD'] : [method])).join(', ');
  return async (context) => {
    const message = `the method ${context.req.method} is not allowed for this path`;
    const problem = new DomainError('method-not-allowed', message, `Use ${allowed}.`);
    return context.json(bodyOf(problem), statusOf(problem), { Allow: allowed });
  };
}
