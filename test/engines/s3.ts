import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { moto } from '../e2e/provision/moto.ts';
import { freePort } from '../support/free-port.ts';
import { type CutProxy, startCutProxy } from './cut-proxy.ts';
import { requireProgram } from './missing.ts';
import { Program } from './program.ts';

/** Path of a versitygw binary, which replaces moto if it is set. versitygw is stricter but takes minutes to build. */
const versitygwVariable = 'OTA_HOOKS_VERSITYGW';

/** An S3 server on a free port of the loopback interface, with one bucket. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  /** Environment variables with the credentials, the region, and the endpoint. */
  readonly env: Readonly<Record<string, string>>;
  createBucket(bucket: string): Promise<void>;
  /** Refuses all connections until `restore`. The objects stay. */
  cut: CutProxy['cut'];
  restore: CutProxy['restore'];
  end(): Promise<void>;
}

const keys = { id: 'TESTKEY', secret: 'test-secret-key' };
const region = 'us-east-1';
const bucket = 'ota';

/** Starts moto, or versitygw if the environment names a binary. @throws Error that says how to install moto */
export async function startS3(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-s3-'));
  const port = await freePort();
  const versitygw = process.env[versitygwVariable];
  const server = versitygw === undefined ? startMoto(port) : startVersitygw(versitygw, folder, port);
  await server.untilListening(port);
  const proxy = await startCutProxy(port);
  const endpoint = `http://127.0.0.1:${proxy.port}`;
  const createBucket: S3Server['createBucket'] = async (name) => {
    // A bucket of versitygw is a folder. moto accepts unsigned requests.
    if (versitygw !== undefined) await mkdir(join(folder, name));
    else await fetch(`http://127.0.0.1:${port}/${name}`, { method: 'PUT' });
  };
  await createBucket(bucket);
  return {
    endpoint,
    bucket,
    env: {
      AWS_ACCESS_KEY_ID: keys.id,
      AWS_SECRET_ACCESS_KEY: keys.secret,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_S3: endpoint,
    },
    createBucket,
    cut: proxy.cut,
    restore: proxy.restore,
    async end() {
      await proxy.end();
      await server.stop('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function startMoto(port: number): Program {
  const program = requireProgram(moto.program, 'moto', 'npx tsx test/e2e/provision/engines.ts');
  return new Program(program, ['-H', '127.0.0.1', '-p', String(port)]);
}

function startVersitygw(program: string, folder: string, port: number): Program {
  const options = ['--access', keys.id, '--secret', keys.secret, '--region', region, '--port', `127.0.0.1:${port}`];
  // With --nometa, versitygw keeps no ETag and therefore ignores If-None-Match.
  return new Program(program, [...options, 'posix', folder]);
}
