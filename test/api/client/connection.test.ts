import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import {
  type ApiRequest,
  type ClientOptions,
  connect,
  type SendApiRequest,
} from '../../../src/api/client/connection.ts';
import { type ErrorCode, OtaError } from '../../../src/errors/ota-error.ts';
import { endlessMs } from '../../support/patience.ts';
import { refusingPort, releasablePort } from '../../support/refusing-port.ts';
import { until } from '../../support/until.ts';
import { problem, type Reply, resettingServer, scriptedServer } from './scripted-server.ts';

const token = 'token-of-the-tests';

function client({ url }: { url: URL }, options: Partial<ClientOptions> = {}): SendApiRequest {
  return connect({ url, token, signal: new AbortController().signal, pausesMs: [1, 1, 1], ...options });
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

async function fails(t: ExecutionContext, run: Promise<unknown>, code: ErrorCode): Promise<OtaError | undefined> {
  const error = await t.throwsAsync(run, { instanceOf: OtaError });
  t.is(error?.code, code, error?.message);
  t.false(JSON.stringify([error?.message, error?.hint, error?.fields]).includes(token));
  return error;
}

test('sends the token, and resolves request paths below the server URL path', async (t) => {
  const server = await scriptedServer(t, () => ({ status: 200, json: { name: 'ota-hooks' } }));
  for (const path of ['', '/', '/ota', '/ota/']) {
    const response = await client({ url: new URL(path, server.url) })({ method: 'GET', path: '/server' });
    t.deepEqual(response.problem === undefined && response.json, { name: 'ota-hooks' });
  }
  t.deepEqual(
    server.arrived.map(({ path }) => path),
    ['/api/v1/server', '/api/v1/server', '/ota/api/v1/server', '/ota/api/v1/server'],
  );
  for (const { headers } of server.arrived) t.is(headers.authorization, `Bearer ${token}`);
});

test('rejects a redirect without sending the token to its target', async (t) => {
  const other = await scriptedServer(t, () => ({ status: 200, json: {} }));
  for (const status of [301, 302, 303, 307, 308]) {
    const location = new URL('/api/v1/server', other.url).href;
    const server = await scriptedServer(t, () => ({ status, text: '', headers: { Location: location } }));
    const error = await fails(t, client(server)({ method: 'GET', path: '/server' }), 'SERVER_REDIRECTS');
    t.true(error?.message.includes(location));
  }
  t.deepEqual(other.arrived, []);
});

test('reports a server that is not an update server, without retrying', async (t) => {
  const replies: Reply[] = [
    { status: 200, text: '<html>welcome</html>' },
    { status: 404, text: '<html>not here</html>' },
    { status: 200, text: '' },
    { status: 401, json: { message: 'a proxy of another kind' } },
    { status: 500, json: null },
  ];
  for (const reply of replies) {
    const server = await scriptedServer(t, () => reply);
    await fails(t, client(server)({ method: 'GET', path: '/server' }), 'SERVER_NOT_OURS');
    t.is(server.arrived.length, 1);
  }
});

test('returns a problem from the server unchanged, without retrying', async (t) => {
  const server = await scriptedServer(t, () => problem(409, 'blobs-missing', { missing: [] }));
  const response = await client(server)({ method: 'POST', path: '/x', json: {} });
  t.is(response.problem?.code, 'blobs-missing');
  t.is(server.arrived.length, 1);
});

const repeatable: readonly ApiRequest[] = [
  { method: 'PUT', path: '/x', json: { a: 1 } },
  { method: 'POST', path: '/x', json: { a: 1 }, isRepeatable: true },
];

for (const request of repeatable) {
  test(`retries a repeatable ${request.method} after a disconnect and after 503, 429 and 502`, async (t) => {
    const troubles: Reply[] = [
      'break',
      { status: 503, json: {} },
      { status: 429, text: 'slow down' },
      { status: 502, text: 'bad gateway' },
    ];
    const server = await scriptedServer(t, (_, count) => troubles[count - 1] ?? { status: 200, json: 'done' });
    const response = await client(server, { pausesMs: [1, 1, 1, 1] })(request);
    t.deepEqual(response.problem === undefined && response.json, 'done');
    t.deepEqual(
      server.arrived.map(({ body }) => body.toString()),
      Array(5).fill('{"a":1}'),
    );
  });
}

test('retries a non-repeatable POST after 503 and 429, because the server did not process the request', async (t) => {
  const troubles: Reply[] = [
    { status: 503, json: {} },
    { status: 429, text: 'slow down' },
  ];
  const server = await scriptedServer(t, (_, count) => troubles[count - 1] ?? { status: 201, json: 'done' });
  const response = await client(server)({ method: 'POST', path: '/tokens', json: { a: 1 } });
  t.deepEqual(response.problem === undefined && response.json, 'done');
  t.is(server.arrived.length, 3);
});

test('does not retry after a 429 of the server, because a refused token stays refused', async (t) => {
  const server = await scriptedServer(t, () => problem(429, 'too-many-requests'));
  const response = await client(server)({ method: 'PUT', path: '/x', json: { a: 1 } });
  t.is(response.problem?.code, 'too-many-requests');
  t.is(server.arrived.length, 1);
});

/** Limits that a silent server exceeds quickly. */
const soon = { graceMs: 200, windowMs: endlessMs };

const notRepeatable: readonly ApiRequest[] = [
  { method: 'POST', path: '/tokens', json: { roles: ['read'], name: 'ci' } },
  { method: 'DELETE', path: '/tokens/ci' },
];

for (const request of notRepeatable) {
  test(`does not retry a ${request.method} request if the server may have processed it`, async (t) => {
    const broken = await scriptedServer(t, () => 'break');
    await fails(t, client(broken)(request), 'SERVER_UNREACHABLE');
    t.is(broken.arrived.length, 1);
    const silent = await scriptedServer(t, () => 'silence');
    await fails(t, client(silent, { limits: soon })(request), 'SERVER_UNREACHABLE');
    t.true(silent.arrived.length <= 1, 'a slow machine may time out before the request arrives');
    for (const status of [502, 504]) {
      const gateway = await scriptedServer(t, () => ({ status, text: 'the proxy got no response' }));
      t.is((await client(gateway)(request)).problem?.code, 'unavailable');
      t.is(gateway.arrived.length, 1);
    }
  });
}

for (const event of ['connection', 'request'] as const) {
  test(`retries when the server resets the first connections on ${event}`, async (t) => {
    const server = await resettingServer(t, 2, event);
    const response = await client(server)({ method: 'GET', path: '/x' });
    t.deepEqual(response.problem === undefined && response.json, 'done');
    t.is(server.connections(), 3);
  });
}

test('reports a reset without retrying a non-repeatable POST', async (t) => {
  const server = await resettingServer(t, 1, 'request');
  const error = await fails(t, client(server)({ method: 'POST', path: '/tokens', json: {} }), 'SERVER_UNREACHABLE');
  t.regex(error?.message ?? '', /ECONNRESET|EPIPE/);
  t.is(server.connections(), 1);
});

test('retries any POST until the server accepts connections', async (t) => {
  const { port, release } = await releasablePort(t);
  const controller = new AbortController();
  const request = client(
    { url: new URL(`http://127.0.0.1:${port}`) },
    { signal: controller.signal, pausesMs: Array<number>(1000).fill(20) },
  );
  const response = request({ method: 'POST', path: '/tokens', json: {} });
  // The client listens to this signal directly only while it waits after a failed attempt.
  await until(() => getEventListeners(controller.signal, 'abort').length !== 0);
  await release();
  const server = await scriptedServer(t, () => ({ status: 201, json: 'done' }), port);
  t.like(await response, { status: 201, json: 'done' });
  t.is(server.arrived.length, 1);
});

test('stops retrying after four attempts', async (t) => {
  const broken = await scriptedServer(t, () => 'break');
  await fails(t, client(broken)({ method: 'GET', path: '/x' }), 'SERVER_UNREACHABLE');
  t.is(broken.arrived.length, 4);
  const busy = await scriptedServer(t, () => ({ status: 503, text: 'busy' }));
  t.is((await client(busy)({ method: 'GET', path: '/x' })).problem?.code, 'unavailable');
  t.is(busy.arrived.length, 4);
});

test('times out when the server does not respond', async (t) => {
  const server = await scriptedServer(t, () => 'silence');
  // In some test runs, the timeout was garbage-collected and the wait never ended.
  const collecting = setInterval(collectGarbage, 10);
  t.teardown(() => clearInterval(collecting));
  const request = client(server, { limits: soon, pausesMs: [1] });
  const error = await fails(t, request({ method: 'GET', path: '/x' }), 'SERVER_UNREACHABLE');
  t.regex(error?.message ?? '', /did not respond: not complete after \d+ s/);
});

test('reports the system error when no server is listening', async (t) => {
  const url = new URL(`http://127.0.0.1:${await refusingPort(t)}`);
  const error = await fails(t, client({ url })({ method: 'GET', path: '/x' }), 'SERVER_UNREACHABLE');
  t.regex(error?.message ?? '', /ECONNREFUSED/);
});

test('aborts a wait on Ctrl-C without reporting a server error', async (t) => {
  const server = await scriptedServer(t, () => 'break');
  const controller = new AbortController();
  const request = client(server, { signal: controller.signal, pausesMs: [endlessMs] });
  const error = t.throwsAsync(request({ method: 'GET', path: '/x' }), { any: true });
  // Requests listen to derived signals. Only the wait before a retry listens to this signal.
  await until(() => getEventListeners(controller.signal, 'abort').length !== 0);
  t.is(server.arrived.length, 1);
  controller.abort();
  t.false((await error) instanceof OtaError);
});
