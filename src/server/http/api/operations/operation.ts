import * as v from 'valibot';
import type { ApiProblemCode } from '../../../../api/api-problems.ts';
import { blobDigest, resourceName } from '../../../../api/release.ts';
import { mac } from '../../../../api/release-admin.ts';
import { rolloutActions } from '../../../../api/rollout.ts';
import type { Action } from '../../../auth/permissions.ts';
import { integerText } from './integer-text.ts';

/** Groups of operations in the document of the API. */
export const operationGroups = [
  'server',
  'projects',
  'releases',
  'rollouts',
  'approvals',
  'devices',
  'uploads',
  'webhooks',
  'administration',
] as const;

/** Schemas of the parameters that the paths of operations contain. */
export const pathParameters = {
  project: v.pipe(resourceName, v.examples(['door'])),
  channel: v.pipe(resourceName, v.examples(['stable'])),
  mac,
  rolloutId: v.pipe(integerText(0, 999_999_999_999_999), v.examples([1])),
  action: v.picklist(rolloutActions, `must be ${rolloutActions.join(', ')}`),
  sha256: blobDigest,
  webhookId: v.pipe(integerText(0, 999_999_999_999_999), v.examples([1])),
  deliveryId: v.pipe(integerText(0, 999_999_999_999_999), v.examples([1])),
  approvalId: v.pipe(v.string(), v.maxLength(64, 'must be the ID of an approval')),
  tokenId: v.pipe(v.string(), v.maxLength(100, 'must be a token ID')),
} as const;
type ParameterName = keyof typeof pathParameters;

/** Body of a request: a JSON document, or bytes that the handler reads. */
type RequestBody = v.GenericSchema | 'bytes';
/** Media type of responses with one JSON document a line. */
export const jsonLinesType = 'application/x-ndjson';

/** Body of a successful response: a JSON document, or one JSON document a line. */
type ResponseBody = v.GenericSchema | 'json-lines';

/**
 * Operation of the API. The routes of the server and the OpenAPI document are built from the same declarations, so that they cannot
 * differ.
 */
export interface Operation {
  /** Name of the operation in the document, such as `listProjects`. */
  readonly id: string;
  readonly group: (typeof operationGroups)[number];
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Path below the API root, with parameters in braces. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string | undefined;
  /** Action that the token must permit. */
  readonly action: Action;
  /** True if a token for one project may send the request, although the path names no project. */
  readonly anyProject?: boolean | undefined;
  /** Schema of the query. Its entries read text. */
  readonly query?: v.GenericSchema | undefined;
  /** Schema of the headers, besides those that every request has. Its keys are in lower case. */
  readonly headers?: v.GenericSchema | undefined;
  readonly body?: RequestBody | undefined;
  /** Statuses of a successful response. A handler that sets no status sends the first one. */
  readonly statuses: readonly [200 | 201, ...(200 | 201)[]];
  readonly response: ResponseBody;
  /** Problems of this operation. `problemsOf` adds those that follow from its other properties. */
  readonly problems?: readonly ApiProblemCode[] | undefined;
}

/** Declares an operation with its exact type. */
export function operation<const Declared extends Operation>(declared: Declared): Declared {
  return declared;
}

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
export type ParametersOf<Path extends string> = {
  readonly [Name in NamesIn<Path> & ParameterName]: v.InferOutput<(typeof pathParameters)[Name]>;
};

/** Returns the names of the parameters in a path. */
export function parameterNames(path: string): ParameterName[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    if (name !== undefined && isParameter(name)) return name;
    throw new Error(`the path parameter ${name} has no schema`);
  });
}

function isParameter(name: string): name is ParameterName {
  return Object.hasOwn(pathParameters, name);
}

/** Returns the codes of all problems that a response to an operation can contain. */
export function problemsOf({ path, method, query, body, problems = [] }: Operation): ReadonlySet<ApiProblemCode> {
  const isChecked = path.includes('{') || query !== undefined || body !== undefined;
  return new Set<ApiProblemCode>([
    'bad-request',
    'not-authorized',
    'role-missing',
    ...(path.includes('{project}') ? (['not-found'] as const) : []),
    ...(isChecked ? (['invalid'] as const) : []),
    ...(body === undefined ? [] : (['too-large'] as const)),
    'too-many-requests',
    'internal-error',
    'unavailable',
    ...(method === 'get' ? [] : (['shutting-down', 'disk-full'] as const)),
    ...problems,
  ]);
}
