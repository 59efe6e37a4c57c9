import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Response of an S3 store: a status and an error code. */
export type S3Response = readonly [status: number, code?: string];

/** Starts a store that only sends prepared responses, and returns the environment for a server that uses it. */
export async function s3Responses(
  t: ExecutionContext,
  responseTo: (request: IncomingMessage) => S3Response,
): Promise<Readonly<Record<string, string>>> {
  const server = createServer((request, response) => {
    const [status, code] = responseTo(request);
    request.resume().on('end', () => {
      response.writeHead(status);
      response.end(code && `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  // The address of a TCP server is an AddressInfo.
  return s3Environment((server.address() as AddressInfo).port);
}

/** Environment for a server that uses a store on a port of this machine. */
export function s3Environment(port: number): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'test-secret-key',
  };
}
