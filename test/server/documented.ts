import * as v from 'valibot';
import { apiProblemSchema, apiProblems } from '../../src/api/api-problems.ts';
import { type Operation, problemsOf } from '../../src/server/http/api/operations/operation.ts';
import { operations } from '../../src/server/http/api/operations/registry.ts';

/** Operations whose paths have no parameters first, as in the server. */
const byPath = [...operations].sort((a, b) => (a.path < b.path ? -1 : 1));

interface Response {
  readonly status: number;
  readonly body: unknown;
}

/** Throws an error if the API documentation does not describe a response. Paths and methods that are not in the API are ignored. */
export function requireDocumented(method: string, path: string, response: Response): void {
  const found = byPath.find((operation) => patternOf(operation).test(path.replace(/\?.*$/s, '')));
  const operation = byPath.find((each) => each.path === found?.path && each.method === method.toLowerCase());
  const difference = operation && differenceFrom(operation, response);
  if (difference === undefined) return;
  throw new Error(`${method} ${path}: ${difference}: ${response.status} ${JSON.stringify(response.body)}`);
}

function patternOf({ path }: Operation): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

function differenceFrom(operation: Operation, { status, body }: Response): string | undefined {
  if (status >= 300) return problemDifference(operation, status, body);
  if (!operation.statuses.some((each) => each === status)) return 'the status is not documented';
  return operation.response === 'json-lines' ? undefined : schemaDifference(operation.response, body);
}

function problemDifference(operation: Operation, status: number, body: unknown): string | undefined {
  const { success, output } = v.safeParse(apiProblemSchema, body);
  if (!success) return schemaDifference(apiProblemSchema, body);
  const { code } = output.error;
  if (apiProblems[code].status !== status) return `the problem ${code} has a different status`;
  return problemsOf(operation).has(code) ? undefined : `the problem ${code} is not documented`;
}

function schemaDifference(schema: v.GenericSchema, body: unknown): string | undefined {
  const { issues } = v.safeParse(schema, body);
  return issues?.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`).join('; ');
}
