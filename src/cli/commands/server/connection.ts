import { type ApiRequest, connect, type ServerOptions as ServerPlace } from '../../../api/client/connection.ts';
import { asError } from '../../../api/client/problems.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { isReadOnTheWay, settleDestination } from '../../../publishing/destination.ts';
import { command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type OutputOptions, type Report } from '../../output/report.ts';

export interface ServerOptions extends OutputOptions {
  readonly server?: string | undefined;
  readonly tokenEnv: string;
  readonly ca?: string | undefined;
}

/** Begins the declaration of a command that speaks to a server. */
export function serverCommand<const Usage extends string>(
  declaration: Declaration,
  usage: Usage,
  description: string,
  examples: readonly [string, string],
) {
  return command(declaration, usage, description, examples)
    .option('--server <url>', 'address of the server (default: what OTA_SERVER says)')
    .option('--token-env <name>', 'environment variable with the token', 'OTA_TOKEN')
    .option('--ca <file>', 'certificate (PEM) of its authority, where it has its own (default: OTA_CA)');
}

/** A server that is asked, and where to say what it answered. */
export interface Talk {
  /** @throws OtaError SERVER_REFUSED, SERVER_UNREACHABLE and others of the connection */
  ask<Answer>(method: ApiRequest['method'], path: string, json?: unknown): Promise<Answer>;
  readonly report: Report;
  /** For what is no JSON. */
  readonly place: ServerPlace;
}

/**
 * @throws OtaError USAGE, SECRET_MISSING, TOKEN_UNBOUND
 */
export function talkTo({ server, tokenEnv, ca, ...output }: ServerOptions, io: Io): Talk {
  const report = makeReport(io, output);
  const to = server ?? io.env['OTA_SERVER'];
  const destination = settleDestination({
    to,
    configured: undefined,
    folder: io.cwd,
    cwd: io.cwd,
    env: io.env,
    tokenVariable: tokenEnv,
    ca,
  });
  if (destination.kind !== 'server')
    throw new OtaError('USAGE', { message: `${to} is no address of a server`, hint: addressHint });
  if (isReadOnTheWay(destination.url)) {
    report.warn(`${destination.url.origin} is not encrypted: whoever listens on the way reads the token`);
  }
  const place = { ...destination, signal: io.signal };
  const request = connect(place);
  return {
    report,
    place,
    async ask<Answer>(method: ApiRequest['method'], path: string, json?: unknown) {
      const answer = await request({ method, path, ...(json !== undefined && { json }) });
      if (answer.problem !== undefined) throw asError(answer);
      // The server is of this tool, and its answers have the types of domain/release*.ts.
      return answer.json as Answer;
    },
  };
}

const addressHint = 'Write --server https://HOST[:PORT], or set OTA_SERVER.';

/** A part of a path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
