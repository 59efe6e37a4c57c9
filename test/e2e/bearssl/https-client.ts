import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const here = fileURLToPath(new URL('.', import.meta.url));

export interface Download {
  readonly port: number;
  readonly request: string;
  /** Server name, as in the URL of the sketch. */
  readonly name?: string;
  readonly trusts?: 'anchor' | 'key';
  /** Argument of `setBufferSizes`, for both directions. */
  readonly bufferBytes?: number;
  readonly suites?: 'full' | 'basic';
  readonly clock?: 'now' | '1970';
  readonly times?: number;
}

/** Result of a connection, as the device sees it. */
export type Outcome =
  | {
      readonly status: number;
      readonly md5: string;
      readonly handshake: 'full' | 'resumed';
      readonly handshakeBytes: number;
    }
  /** BearSSL error code (`BR_ERR_…`). */
  | { readonly error: number };

/** Compiles the device side against a generated ota_server_tls.h and returns a function that downloads with it. */
export async function buildHttpsClient(header: string, program: string) {
  const includes = ['-I', dirname(header), '-I', `${here}include`];
  const strict = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Wno-unused-const-variable', '-Werror'];
  const checked = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const files = [`${here}download-as-device.c`, '-lbearssl', '-o', program];
  await execa('gcc', [...strict, ...checked, ...includes, ...files]);
  return async (download: Download): Promise<readonly Outcome[]> => {
    const { port, request, name = 'ota.example.com', trusts = 'anchor', bufferBytes = 512 } = download;
    const { suites = 'full', clock = 'now', times = 1 } = download;
    const argv = [port, name, trusts, bufferBytes, suites, clock, times].map(String);
    const { stdout } = await execa(program, argv, { input: request });
    return stdout.split('\n').map(outcomeOf);
  };
}

function outcomeOf(line: string): Outcome {
  const error = /^failed (\d+)$/.exec(line)?.[1];
  if (error !== undefined) return { error: Number(error) };
  const [, status, md5, handshake, bytes] = /^(\d+) ([0-9a-f]{32}) (full|resumed) (\d+)$/.exec(line) ?? [];
  if (md5 === undefined) throw new Error(`unexpected output: ${line}`);
  return {
    status: Number(status),
    md5,
    handshake: handshake === 'full' ? 'full' : 'resumed',
    handshakeBytes: Number(bytes),
  };
}
