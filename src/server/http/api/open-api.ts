import { toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { type ApiProblemCode, apiProblemSchema, apiProblems } from '../../../api/api-problems.ts';
import { apiRoot, apiVersionHeader } from '../../../api/release.ts';
import { toolVersion } from '../../../version.ts';
import { rolesFor } from '../../auth/permissions.ts';
import {
  jsonLinesType,
  type Operation,
  operationGroups,
  parameterNames,
  pathParameters,
  problemsOf,
} from './operations/operation.ts';
import { operations } from './operations/registry.ts';

/** Path of the document. */
export const documentPath = '/api/openapi.json';

/** JSON Schema of a value in the document. */
export type JsonSchema = ReturnType<typeof toJsonSchema>;

export interface MediaTypes {
  readonly [mediaType: string]: { readonly schema: JsonSchema };
}

/** Parameter of an operation, or header of a response. */
interface DocumentedParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string | undefined;
  readonly schema: JsonSchema;
}

interface DocumentedResponse {
  readonly description: string;
  readonly headers: Readonly<Record<string, { readonly required: true; readonly schema: JsonSchema }>>;
  readonly content: MediaTypes;
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly DocumentedParameter[];
  readonly requestBody?: { readonly required: true; readonly content: MediaTypes } | undefined;
  readonly responses: Readonly<Record<string, DocumentedResponse | Reference>>;
}

interface Reference {
  readonly $ref: string;
}

/** The part of OpenAPI 3.1 that the document of the API uses. */
export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, { readonly type: 'http'; readonly scheme: 'bearer' }>>;
    readonly responses: Readonly<Record<string, DocumentedResponse>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

const description = `Every request needs the header \`Authorization: Bearer TOKEN\`. Requests and responses are JSON, unless an operation states
otherwise. Every response has the header \`${apiVersionHeader}\`. An error response contains a problem: a code that never changes, a message and a
hint. Unknown fields in a request are errors. A newer server may send additional fields, so programs must ignore fields that they do not know.`;

/** Kept, because the generation takes about 20 ms, and a request for the document needs no token. */
let kept: OpenApiDocument | undefined;

/** Returns the OpenAPI 3.1 document of the API, generated from the operations and their schemas. */
export function openApiDocument(): OpenApiDocument {
  kept ??= generated();
  return kept;
}

function generated(): OpenApiDocument {
  return {
    openapi: '3.1.1',
    info: { title: 'ota-hooks server', version: toolVersion, description: description.replaceAll('\n', ' ') },
    // Relative to the URL of the document, so that it is also valid behind a reverse proxy that adds a path.
    servers: [{ url: `.${apiRoot.replace(/^\/api/, '')}` }],
    tags: operationGroups.map((name) => ({ name })),
    security: [{ token: [] }],
    paths: documentedPaths(),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: namedFailures(),
      schemas: namedSchemas(),
    },
  };
}

function documentedPaths(): OpenApiDocument['paths'] {
  const paths: Record<string, Record<string, DocumentedOperation>> = {};
  for (const each of operations) paths[each.path] = { ...paths[each.path], [each.method]: documented(each) };
  return paths;
}

function documented(operation: Operation): DocumentedOperation {
  const { id, group, summary, description, action, body } = operation;
  const needed = rolesFor(action);
  const roles =
    needed.length === 1 ? `Requires the role ${needed[0]}.` : `Requires one of the roles ${needed.join(', ')}.`;
  return {
    operationId: id,
    tags: [group],
    summary,
    description: description === undefined ? roles : `${description} ${roles}`,
    parameters: parametersOf(operation),
    requestBody: body === undefined ? undefined : { required: true, content: requestContent(id, body) },
    responses: { ...successes(operation), ...failures(operation) },
  };
}

function parametersOf({ path, query, headers }: Operation): DocumentedParameter[] {
  return [
    ...parameterNames(path).map((name) => parameter('path', name, parameterSchema(pathParameters[name]), true)),
    ...entriesOf('query', query),
    ...entriesOf('header', headers),
  ];
}

function entriesOf(place: 'query' | 'header', schema: v.GenericSchema | undefined): DocumentedParameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = parameterSchema(schema);
  return Object.entries(properties).map(([name, property]) =>
    parameter(place, name, typeof property === 'object' ? property : {}, required.includes(name)),
  );
}

function parameter(
  place: DocumentedParameter['in'],
  name: string,
  { description, ...schema }: JsonSchema,
  required: boolean,
): DocumentedParameter {
  return { name: place === 'header' ? headerName(name) : name, in: place, required, description, schema };
}

function headerName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

function requestContent(id: string, body: NonNullable<Operation['body']>): MediaTypes {
  if (body === 'bytes') return { 'application/octet-stream': { schema: {} } };
  return { 'application/json': { schema: reference(requestName(id)) } };
}

function successes({ id, statuses, response }: Operation): Record<string, DocumentedResponse> {
  const content: MediaTypes =
    response === 'json-lines'
      ? { [jsonLinesType]: { schema: { type: 'string' } } }
      : { 'application/json': { schema: reference(responseName(id)) } };
  const words = { 200: 'The request succeeded.', 201: 'The request created a record.' };
  return Object.fromEntries(
    statuses.map((status) => [status, { description: words[status], headers: { ...versionHeader }, content }]),
  );
}

const versionHeader = { [apiVersionHeader]: { required: true, schema: { type: 'string' } } } as const;

function failures(operation: Operation): Record<string, Reference> {
  return Object.fromEntries(
    problemsByStatus(operation).map(([status, codes]) => [
      status,
      { $ref: `#/components/responses/${failureName(codes)}` },
    ]),
  );
}

/** Returns all error responses by name. Many operations have the same ones. */
function namedFailures(): Record<string, DocumentedResponse> {
  const all = operations.flatMap(problemsByStatus);
  return Object.fromEntries(all.map(([status, codes]) => [failureName(codes), failure(status, codes)]));
}

/** Groups the problems of an operation by status, because a response is documented for each status. */
function problemsByStatus(operation: Operation): [status: number, codes: ApiProblemCode[]][] {
  const codes = [...problemsOf(operation)].sort();
  const statuses = [...new Set(codes.map((code) => apiProblems[code].status))];
  return statuses.map((status) => [status, codes.filter((code) => apiProblems[code].status === status)]);
}

function failureName(codes: readonly ApiProblemCode[]): string {
  return codes.map((code) => code.split('-').map(capitalized).join('')).join('Or');
}

function failure(status: number, codes: readonly ApiProblemCode[]): DocumentedResponse {
  const error: JsonSchema = { properties: { code: { enum: [...codes] } } };
  const schema: JsonSchema = { allOf: [reference('Problem'), { properties: { error } }] };
  return {
    description: codes.map((code) => `\`${code}\`: ${apiProblems[code].when}`).join(' '),
    headers: {
      ...versionHeader,
      ...(status === 401 && { 'WWW-Authenticate': { required: true, schema: { type: 'string' } } }),
      ...(status === 503 && { 'Retry-After': { required: true, schema: { type: 'integer' } } }),
    },
    content: { 'application/json': { schema } },
  };
}

function namedSchemas(): Record<string, JsonSchema> {
  const requests: Record<string, v.GenericSchema> = {};
  const responses: Record<string, v.GenericSchema> = { Problem: apiProblemSchema };
  for (const { id, body, response } of operations) {
    if (body !== undefined && body !== 'bytes') requests[requestName(id)] = body;
    if (response !== 'json-lines') responses[responseName(id)] = response;
  }
  return {
    ...toJsonSchemaDefs(requests, { ...conversion, typeMode: 'input' }),
    ...toJsonSchemaDefs(responses, { ...conversion, typeMode: 'output' }),
  };
}

function parameterSchema(schema: v.GenericSchema): JsonSchema {
  const { $schema, ...converted } = toJsonSchema(schema, { ...conversion, typeMode: 'output' });
  return converted;
}

/** Options for conversion. Checks that JSON Schema cannot express are omitted; the server makes them in any case. */
const conversion = {
  target: 'draft-2020-12',
  errorMode: 'ignore',
  overrideRef: ({ referenceId }) => referenceTo(referenceId),
  overrideAction: ({ valibotAction, jsonSchema }) => withAllPatterns(valibotAction, jsonSchema),
} as const satisfies Parameters<typeof toJsonSchema>[1];

/** Keeps the second pattern of a value, which the converter ignores. */
function withAllPatterns(action: object, schema: JsonSchema): JsonSchema | undefined {
  const { requirement } = action as { requirement?: unknown };
  if (!(requirement instanceof RegExp) || schema.pattern === requirement.source) return undefined;
  return { ...schema, allOf: [...(schema.allOf ?? []), { pattern: requirement.source }] };
}

function reference(name: string): JsonSchema {
  return { $ref: referenceTo(name) };
}

function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

function requestName(id: string): string {
  return `${capitalized(id)}Request`;
}

function responseName(id: string): string {
  return `${capitalized(id)}Response`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
