import { type ApiRequest, connect, type ClientOptions as ServerPlace } from '../../../api/client/connection.ts';
import { asError } from '../../../api/client/problems.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { isUnencrypted, resolveDestination } from '../../../publishing/destination.ts';
import { command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { serverOptions } from '../../shared/server-options.ts';

/** Starts declaring a command that connects to a server. */
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

/** Connection of a command to a server, and the report that prints responses. */
export interface ServerClient {
  /**
   * Sends a request and returns the response JSON.
   *
   * @param options `isRepeatable` marks a POST request as safe to send again
   * @throws OtaError SERVER_REJECTED, SERVER_UNREACHABLE and other connection errors
   */
  request<Body>(
    method: ApiRequest['method'],
    path: string,
    json?: unknown,
    options?: Pick<ApiRequest, 'isRepeatable'>,
  ): Promise<Body>;
  readonly report: Report;
  /** Server and token, for requests with non-JSON responses. */
  readonly place: ServerPlace;
}

/**
 * Prepares a connection to the server given by --server or `OTA_SERVER`.
 *
 * @throws OtaError DESTINATION_MISSING, SERVER_URL_INVALID, SECRET_MISSING, TOKEN_INVALID, TOKEN_UNBOUND
 */
export function serverClient({ server, tokenEnv, ca, ...output }: ServerCommandOptions, io: Io): ServerClient {
  const report = makeReport(io, output);
  const to = server ?? (io.env['OTA_SERVER'] || undefined);
  if (to === undefined) {
    throw new OtaError('DESTINATION_MISSING', { what: 'server' });
  }
  const destination = resolveDestination({
    to,
    project: undefined,
    cwd: io.cwd,
    env: io.env,
    tokenVariable: tokenEnv,
    ca,
  });
  if (destination.kind !== 'server') {
    throw new OtaError('SERVER_URL_INVALID', { problem: `${to} does not begin with https:// or http://` });
  }
  if (isUnencrypted(destination.url)) {
    report.warn(`${destination.url.origin} is not encrypted: the token can be read in transit`);
  }
  const place = { ...destination, signal: io.signal };
  const send = connect(place);
  return {
    report,
    place,
    async request<Body>(
      method: ApiRequest['method'],
      path: string,
      json?: unknown,
      options?: Pick<ApiRequest, 'isRepeatable'>,
    ) {
      const response = await send({ method, path, ...(json !== undefined && { json }), ...options });
      if (response.problem !== undefined) throw asError(response);
      // The response is not validated: the server is part of this tool, and `src/api` declares its response types.
      return response.json as Body;
    },
  };
}

/** Encodes a segment of a URL path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
