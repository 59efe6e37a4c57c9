/** Requests through an HTTP proxy that the environment names. Serial, because the environment belongs to the process. */
import { once } from 'node:events';
import { createServer, request as requestHttp } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type ClientOptions, connect } from '../../../src/api/client/connection.ts';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { startTestServer } from '../../server/running-server.ts';
import { refusingPort } from '../../support/refusing-port.ts';
import { testFolder } from '../../support/test-folder.ts';
import { scriptedServer } from './scripted-server.ts';

interface TestProxy {
  readonly url: URL;
  /** Targets of the requests: a host and port for CONNECT, otherwise a URL. */
  readonly targets: string[];
  readonly logins: (string | undefined)[];
}

/** Forward proxy on loopback that resolves each host name to this machine. With a status, it rejects all requests. */
async function startProxy(t: ExecutionContext, status?: number): Promise<TestProxy> {
  const proxy = createServer((request, response) => {
    targets.push(request.url ?? '');
    logins.push(request.headers['proxy-authorization']);
    if (status !== undefined) return response.writeHead(status).end('<html>proxy</html>');
    const { port, pathname } = new URL(request.url ?? '');
    const onward = { port, path: pathname, method: request.method, headers: request.headers };
    return request.pipe(
      requestHttp(onward, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  proxy.on('connect', (request, socket) => {
    targets.push(request.url ?? '');
    logins.push(request.headers['proxy-authorization']);
    if (status !== undefined) return socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 4\r\n\r\nhtml`);
    const onward = connectSocket(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
    return undefined;
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const [targets, logins]: [string[], (string | undefined)[]] = [[], []];
  return { url: new URL(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`), targets, logins };
}

const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

/** Sends a request with these variables, and no other proxy variables. */
async function send(env: Readonly<Record<string, string>>, url: string, options: Partial<ClientOptions> = {}) {
  const saved = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) delete process.env[name];
  Object.assign(process.env, env);
  try {
    const client = { token: 'token-of-the-tests', signal: new AbortController().signal, pausesMs: [1] };
    return await connect({ ...client, url: new URL(url), ...options })({ method: 'GET', path: '/server' });
  } finally {
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

const answering = (t: ExecutionContext) => scriptedServer(t, () => ({ status: 200, json: { name: 'ota-hooks' } }));

test.serial('sends requests to an HTTP server through the proxy', async (t) => {
  const [server, proxy] = [await answering(t), await startProxy(t)];
  const url = `http://ota.example.com:${server.url.port}/`;
  t.like(await send({ HTTP_PROXY: proxy.url.href }, url), { status: 200, json: { name: 'ota-hooks' } });
  t.like(await send({ http_proxy: proxy.url.href }, url), { status: 200 });
  t.like(await send({ ALL_PROXY: proxy.url.host }, url), { status: 200 });
  t.deepEqual(proxy.targets, Array(3).fill(`${url}api/v1/server`));
  t.is(server.arrived[0]?.headers.authorization, 'Bearer token-of-the-tests');
});

test.serial('tunnels HTTPS through the proxy, and checks the certificate of the server', async (t) => {
  const folder = await testFolder(t);
  const data = folder.at('data');
  const tls = { kind: 'self-signed', hosts: ['ota.example.com'] } as const;
  const [server, proxy] = [await startTestServer(t, { data, tls }), await startProxy(t)];
  const url = `https://ota.example.com:${new URL(server.url).port}/`;
  const env = { HTTPS_PROXY: proxy.url.href };
  const ca = `${data}/tls/ca.pem`;
  t.like(await send(env, url, { ca, token: server.token }), { status: 200 });
  await t.throwsAsync(send(env, url), { instanceOf: OtaError, code: 'SERVER_NOT_TRUSTED' });
  const other = url.replace('ota.', 'other.');
  await t.throwsAsync(send(env, other, { ca }), { instanceOf: OtaError, code: 'SERVER_NOT_TRUSTED' });
  t.true(proxy.targets.every((target) => /^(?:ota|other)\.example\.com:\d+$/.test(target)));
});

test.serial('sends requests directly to hosts in NO_PROXY and to this machine', async (t) => {
  const [server, proxy] = [await answering(t), await startProxy(t)];
  const env = { HTTP_PROXY: proxy.url.href };
  for (const host of ['127.0.0.1', 'localhost', '127.1.2.3']) {
    const isReachable = host !== '127.1.2.3';
    const sent = send(env, `http://${host}:${server.url.port}/`);
    if (isReachable) t.like(await sent, { status: 200 });
    else await t.throwsAsync(sent, { code: 'SERVER_UNREACHABLE' });
  }
  const named = send({ ...env, NO_PROXY: '.invalid' }, `http://ota.invalid:${server.url.port}/`);
  t.notRegex(
    (await t.throwsAsync(named, { instanceOf: OtaError, code: 'SERVER_UNREACHABLE' }))?.message ?? '',
    /proxy/,
  );
  t.deepEqual(proxy.targets, []);
});

test.serial('reports a proxy that rejects requests, with its address and without its password', async (t) => {
  for (const scheme of ['http', 'https']) {
    for (const status of [407, ...(scheme === 'https' ? [403, 502] : [])]) {
      const proxy = await startProxy(t, status);
      const secret = Object.assign(new URL(proxy.url), { username: 'me', password: 'hidden' }).href;
      const sent = send({ HTTP_PROXY: secret, HTTPS_PROXY: secret }, `${scheme}://ota.example.com/`);
      const error = await t.throwsAsync(sent, { instanceOf: OtaError, code: 'PROXY_UNUSABLE' });
      t.is(error?.message, `${proxy.url.origin} cannot be used: it responded with status ${status}`);
      t.false(JSON.stringify([error?.message, error?.hint, error?.fields]).includes('hidden'));
      t.is(proxy.logins[0], `Basic ${Buffer.from('me:hidden').toString('base64')}`);
    }
  }
});

test.serial('reports a proxy that responds with a page of its own', async (t) => {
  const pageOf = async (status: number) => {
    const proxy = await startProxy(t, status);
    return send({ HTTP_PROXY: proxy.url.href }, 'http://ota.example.com/');
  };
  const error = await t.throwsAsync(pageOf(200), { instanceOf: OtaError, code: 'SERVER_NOT_OURS' });
  t.regex(error?.message ?? '', /^http:\/\/ota\.example\.com\/[^\n]*$/);
  const unavailable = await pageOf(502);
  t.like(unavailable.problem, { code: 'unavailable', message: 'status 502' });
});

test.serial('reports a proxy that does not respond, and values that are no URL of a proxy', async (t) => {
  const port = await refusingPort(t);
  const unreachable = send({ HTTPS_PROXY: `http://me:hidden@127.0.0.1:${port}` }, 'https://ota.example.com/');
  const error = await t.throwsAsync(unreachable, { instanceOf: OtaError, code: 'SERVER_UNREACHABLE' });
  t.regex(
    error?.message ?? '',
    new RegExp(`^https://ota.example.com/ did not respond through the proxy http://127.0.0.1:${port}:`),
  );
  t.regex(error?.hint ?? '', /NO_PROXY/);
  for (const value of ['http://', 'http://proxy:port', 'socks5://me:hidden@proxy:1080']) {
    const invalid = await t.throwsAsync(send({ HTTP_PROXY: value }, 'http://ota.example.com/'), {
      instanceOf: OtaError,
    });
    t.is(invalid?.code, 'PROXY_UNUSABLE');
    t.notRegex(`${invalid?.message}${invalid?.hint}`, /hidden/);
  }
});
