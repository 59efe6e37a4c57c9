import type * as v from 'valibot';
import { type ApiRequest, connect, type ClientOptions as ServerPlace } from '../../../api/client/connection.ts';
import { asError } from '../../../api/client/problems.ts';
import { checkedResponse } from '../../../api/client/responses.ts';
import type { DeepReadonly } from '../../../core/model/fields.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readServerToken } from '../../../project/config/server-tokens.ts';
import { isUnencrypted, serverDestination, serverUrl } from '../../../publishing/destination.ts';
import { command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type OutputOptions, type Report } from '../../output/report.ts';
import { serverOptions } from '../../shared/server-options.ts';

/** Declares a command that connects to a server. */
export function serverCommand<const Usage extends string>(
  declaration: Declaration,
  usage: Usage,
  description: string,
  examples: readonly [string, string],
) {
  return command(declaration, usage, description, examples)
    .option('--server <url>', 'URL of the server (default: OTA_SERVER)')
    .addOption(serverOptions.tokenEnv)
    .addOption(serverOptions.ca);
}

export type ServerCommandOptions = ReturnType<ReturnType<typeof serverCommand>['opts']>;

/** Connection to a server, and the report that prints the server's responses. */
export interface ServerClient {
  /**
   * Sends a request and returns the response JSON.
   *
   * @param schema shape of the response
   * @param options `isRepeatable` marks a POST request as safe to send again
   * @throws OtaError SERVER_REJECTED, SERVER_UNREACHABLE, SERVER_NOT_OURS if the response has a different shape, and other connection errors
   */
  request<Schema extends v.GenericSchema>(
    method: ApiRequest['method'],
    path: string,
    schema: Schema,
    json?: unknown,
    options?: Pick<ApiRequest, 'isRepeatable'>,
  ): Promise<DeepReadonly<v.InferOutput<Schema>>>;
  readonly report: Report;
  /** Server and token, for requests with non-JSON responses. */
  readonly place: ServerPlace;
}

/**
 * Prepares a connection to the server that `--server` or `OTA_SERVER` names.
 *
 * @throws OtaError DESTINATION_MISSING, SERVER_URL_INVALID, SECRET_MISSING, TOKEN_INVALID, TOKEN_UNBOUND
 */
export function serverClient({ server, tokenEnv, ca, ...output }: ServerCommandOptions, io: Io): ServerClient {
  const storedToken = (origin: string) => readServerToken(io, origin);
  const options = { cwd: io.cwd, env: io.env, tokenVariable: tokenEnv, storedToken, ca };
  return clientFor(serverDestination(chosenServer(server, io), options), output, io);
}

/**
 * Returns the server that the user names on the command line or in `OTA_SERVER`.
 *
 * @throws OtaError DESTINATION_MISSING, SERVER_URL_INVALID
 */
export function chosenServer(named: string | undefined, { env }: Io): URL {
  const place = named ?? (env['OTA_SERVER'] || undefined);
  if (place === undefined) throw new OtaError('DESTINATION_MISSING', { what: 'server' });
  const url = serverUrl(place);
  if (url !== undefined) return url;
  throw new OtaError('SERVER_URL_INVALID', { problem: `${place} does not begin with https:// or http://` });
}

/** Prepares a connection with this token. */
export function clientFor(destination: Omit<ServerPlace, 'signal'>, output: OutputOptions, io: Io): ServerClient {
  const report = makeReport(io, output);
  if (isUnencrypted(destination.url)) {
    report.warn(`The connection to ${destination.url.origin} is not encrypted: the token can be read in transit`);
  }
  const place = { ...destination, signal: io.signal };
  const send = connect(place);
  return {
    report,
    place,
    async request(method, path, schema, json, options) {
      const response = await send({ method, path, ...(json !== undefined && { json }), ...options });
      if (response.problem !== undefined) throw asError(response);
      const checked = checkedResponse(schema, response.json);
      if (checked === undefined) throw new OtaError('SERVER_NOT_OURS', { url: response.url, status: response.status });
      return checked;
    },
  };
}

/** Formats the query of a URL, with the question mark. Undefined values are left out. */
export function queryText(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const entries = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
  return entries.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(entries))}`;
}

/** Encodes a segment of a URL path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
