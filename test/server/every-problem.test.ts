import { once } from 'node:events';
import { rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { type ApiProblem, type ApiProblemCode, apiProblems } from '../../src/api/api-problems.ts';
import { StoreUnavailableError } from '../../src/server/storage/store-unavailable.ts';
import { rsaPems } from '../support/key-pairs.ts';
import { endlessMs } from '../support/patience.ts';
import { testBuild, testSigner } from './builds.ts';
import {
  type ApiResponse,
  digestOf,
  releaseRequest,
  startTestServer,
  type TestServer,
  upload,
} from './running-server.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer });
const bytes = Buffer.from('some bytes');

type SendProblem = (server: TestServer) => Promise<ApiResponse>;

async function uploaded(server: TestServer, content: Uint8Array, sha256?: string): Promise<ApiResponse> {
  const response = await upload(server.url, content, server.token, sha256);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** Requests that cause each API problem, by problem code. A missing code is a compile error. */
const requests: Readonly<Record<ApiProblemCode, SendProblem>> = {
  // The request lacks the Upload-Offset and Upload-Length headers.
  'bad-request': ({ api }) => api('PATCH', `/uploads/${'0'.repeat(64)}`, bytes),
  'not-authorized': ({ api }) => api('GET', '/server', undefined, 'ota_of_nobody'),
  'role-missing': async ({ api }) => {
    const { body } = await api('POST', '/tokens', { roles: ['read'] });
    return api('GET', '/tokens', undefined, String(body['token']));
  },
  'not-found': ({ api }) => api('GET', '/projects/nothing'),
  'method-not-allowed': ({ api }) => api('DELETE', '/projects'),
  'blobs-missing': ({ api }) => api('POST', '/projects/door/releases', releaseRequest(build.manifest)),
  'upload-offset': async (server) => {
    const response = await fetch(`${server.url}/api/v1/uploads/${await digestOf(bytes)}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${server.token}`, 'upload-offset': '5', 'upload-length': '10' },
      body: bytes.subarray(5),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  },
  'version-taken': async (server) => {
    await server.publish(build);
    return server.publish(await testBuild({ version: '1.0', project: 'door', signer, seed: 2 }));
  },
  'channel-not-permitted': async (server) => {
    await server.publish(build);
    const { body } = await server.api('POST', '/tokens', { roles: ['publish'] });
    const next = await testBuild({ version: '2.0', project: 'door', signer, seed: 2 });
    return server.publish(next, {}, String(body['token']));
  },
  'image-known': async (server) => {
    await server.publish(build);
    const { body } = await server.api('POST', '/tokens', { roles: ['publish'], channels: ['stable'] });
    const renamed = { ...build, manifest: { ...build.manifest, version: '9.9.9' } };
    return server.publish(renamed, {}, String(body['token']));
  },
  conflict: async (server) => {
    await server.publish(build);
    await server.publish(await testBuild({ version: '1.0', project: 'window', signer, seed: 2 }));
    await server.api('PUT', '/projects/door', { aliases: [{ path: '/esp.php' }] });
    const { body } = await server.api('POST', '/tokens', { roles: ['admin'], project: 'window' });
    return server.api('PUT', '/projects/window', { aliases: [{ path: '/esp.php' }] }, String(body['token']));
  },
  'too-large': ({ api }) => api('POST', '/tokens', { roles: ['read'], name: 'x'.repeat(3_000_000) }),
  invalid: ({ api }) => api('POST', '/tokens', { roles: ['root'] }),
  'digest-mismatch': (server) => uploaded(server, bytes, '0'.repeat(64)),
  'private-key': (server) => uploaded(server, Buffer.from(rsaPems().privatePem)),
  'not-as-described': (server) => server.publish({ ...build, manifest: { ...build.manifest, embeddedKeys: [] } }),
  'wrong-key': async (server) => {
    await server.publish(build);
    return server.publish(await testBuild({ version: '2.0', project: 'door', signer: testSigner(), seed: 2 }));
  },
  blocked: async (server) =>
    server.publish(await testBuild({ version: '1.0', project: 'door', signer, unproven: true })),
  'verification-limit': async (server) => {
    const impatient = await server.restart({ limits: { verificationMs: 1 } });
    return impatient.publish(build);
  },
  'too-many-requests': async ({ api }) => {
    const responses: ApiResponse[] = [];
    for (let count = 0; count < 150; count++) responses.push(await api('GET', '/server', undefined, 'ota_of_nobody'));
    return responses.at(-1) ?? { status: 0, body: {} };
  },
  // The server's uploads folder is missing.
  'internal-error': async (server) => {
    await rm(join(server.folder, 'uploads'), { recursive: true });
    return uploaded(server, bytes);
  },
  'shutting-down': async (server) => {
    const socket = connect(server.port, '127.0.0.1');
    socket.setEncoding('utf8');
    // Sends one complete request and the start of a second request. The second request is completed while the server is stopping.
    const begin = 'HTTP/1.1\r\nHost: x\r\n';
    socket.write(`GET /healthz ${begin}\r\nPOST /api/v1/tokens ${begin}`);
    let text = '';
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    const closed = once(socket, 'close');
    await once(socket, 'data');
    const stopped = server.close(endlessMs);
    socket.write(`Authorization: Bearer ${server.token}\r\nContent-Length: 0\r\n\r\n`);
    await Promise.all([stopped, closed]);
    const [head = '', body = ''] = text.slice(text.lastIndexOf('HTTP/1.1 ')).split('\r\n\r\n');
    return { status: Number(head.split(' ')[1]), body: JSON.parse(body) };
  },
  // The database stops responding.
  unavailable: async (server) => {
    server.parts.store.tokens.find = async () => {
      throw new StoreUnavailableError('connection refused');
    };
    return server.api('GET', '/server');
  },
  'disk-full': async (server) => {
    const [, uploader] = server.token.split('_');
    await symlink('/dev/full', join(server.folder, 'uploads', `${await digestOf(bytes)}.${uploader}.part`));
    return uploaded(server, bytes);
  },
};

for (const [code, send] of Object.entries(requests) as [ApiProblemCode, SendProblem][]) {
  test(`returns ${code} with its documented status and a hint`, async (t) => {
    const { status, body } = await send(await startTestServer(t, { limits: { failuresPerSecond: 0 } }));
    // The type assertion is safe, because every non-2xx response is an `ApiProblem`.
    const { error } = body as unknown as ApiProblem;
    t.is(error.code, code, error.message);
    t.is(status, apiProblems[code].status);
    t.not(error.hint, '');
  });
}
