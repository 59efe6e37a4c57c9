import { type ApiRequest, connect, type ClientOptions as ServerPlace } from '../../../api/client/connection.ts';
import { asError } from '../../../api/client/problems.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { isUnencrypted, resolveDestination } from '../../../publishing/destination.ts';
import { command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type OutputOptions, type Report } from '../../output/report.ts';

export interface ServerCommandOptions extends OutputOptions {
  readonly server?: string | undefined;
  readonly tokenEnv: string;
  readonly ca?: string | undefined;
}

/** Starts the declaration of a command that connects to a server. */
export function serverCommand<const Usage extends string>(
  declaration: Declaration,
  usage: Usage,
  description: string,
  examples: readonly [string, string],
) {
  return command(declaration, usage, description, examples)
    .option('--server <url>', 'URL of the server (default: OTA_SERVER)')
    .option('--token-env <name>', 'Environment variable with the token', 'OTA_TOKEN')
    .option('--ca <file>', 'CA certificate (PEM) of a server with its own authority (default: OTA_CA)');
}

/** Connection to a server, and the report for its responses. */
export interface Talk {
  /**
   * Sends a request and returns the JSON of the response.
   *
   * @param options `isRepeatable` for a POST that the server handles the same way when it is sent twice
   * @throws OtaError SERVER_REFUSED, SERVER_UNREACHABLE and others of the connection
   */
  ask<Answer>(
    method: ApiRequest['method'],
    path: string,
    json?: unknown,
    options?: Pick<ApiRequest, 'isRepeatable'>,
  ): Promise<Answer>;
  readonly report: Report;
  /** Server and token, for responses that are not JSON. */
  readonly place: ServerPlace;
}

/**
 * Prepares the connection to the server given by --server or `OTA_SERVER`.
 *
 * @throws OtaError DESTINATION_MISSING, SERVER_URL_INVALID, SECRET_MISSING, TOKEN_INVALID, TOKEN_UNBOUND
 */
export function talkTo({ server, tokenEnv, ca, ...output }: ServerCommandOptions, io: Io): Talk {
  const report = makeReport(io, output);
  const to = server ?? (io.env['OTA_SERVER'] || undefined);
  if (to === undefined) {
    throw new OtaError('DESTINATION_MISSING', { what: 'server' });
  }
  const destination = resolveDestination({
    to,
    configured: undefined,
    folder: io.cwd,
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
  const request = connect(place);
  return {
    report,
    place,
    async ask<Answer>(
      method: ApiRequest['method'],
      path: string,
      json?: unknown,
      options?: Pick<ApiRequest, 'isRepeatable'>,
    ) {
      const answer = await request({ method, path, ...(json !== undefined && { json }), ...options });
      if (answer.problem !== undefined) throw asError(answer);
      // The server belongs to this tool, and its responses have the types in src/api.
      return answer.json as Answer;
    },
  };
}

/** Encodes a segment of a URL path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
