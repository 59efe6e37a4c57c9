/** The engines that other tests build on: PostgreSQL, an S3 server, HAProxy, and a proxy whose network can fail. */
import { createServer, get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import test from 'ava';
import { startCutProxy } from '../../engines/cut-proxy.ts';
import { startHaproxy } from '../../engines/haproxy.ts';
import { startPostgres } from '../../engines/postgres.ts';
import { startS3 } from '../../engines/s3.ts';

async function* lines(count: number) {
  for (let index = 0; index < count; index++) yield `${index}\n`;
}

test('PostgreSQL keeps its rows when it is restarted, and copies a database from a template', async (t) => {
  const cluster = await startPostgres();
  t.teardown(() => cluster.end());
  await cluster.createDatabase('one');
  await cluster.sql('CREATE TABLE numbers (n int)', 'one');
  await cluster.sql('COPY numbers FROM STDIN', 'one', lines(1000));
  await cluster.stop('immediate');
  await t.throwsAsync(cluster.sql('SELECT 1'));
  await cluster.start();
  await cluster.createDatabase('two', 'one');
  t.is(await cluster.sql('SELECT count(*), max(n) FROM numbers', 'two'), '1000|999');
  t.is(await cluster.sql('SHOW server_version_num').then((version) => Number(version) >= 150_000), true);
  await cluster.dropDatabase('two');
  await t.throwsAsync(cluster.sql('SELECT 1', 'two'), { message: /does not exist/ });
});

test('the S3 server refuses connections while it is cut, and keeps its objects', async (t) => {
  const s3 = await startS3();
  t.teardown(() => s3.end());
  const url = `${s3.endpoint}/${s3.bucket}`;
  const list = async () => (await fetch(url)).status;
  const before = await list();
  await s3.cut();
  await t.throwsAsync(list());
  await s3.restore();
  t.is(await list(), before);
});

/** Starts a server that returns its name, and 503 from /readyz unless `isReady` returns true. */
async function named(t: { teardown(end: () => void): void }, name: string, isReady: () => boolean): Promise<number> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/readyz' && !isReady() ? 503 : 200;
    response.end(name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('HAProxy sends requests to both servers, and only to those that are ready', async (t) => {
  let isOneReady = true;
  const one = await named(t, 'one', () => isOneReady);
  const two = await named(t, 'two', () => true);
  const balancer = await startHaproxy([one, two]);
  t.teardown(() => balancer.end());
  const name = () =>
    new Promise<string>((resolve, reject) =>
      get(balancer.url, { agent: false }, (response) => response.on('data', (bytes) => resolve(String(bytes)))).on(
        'error',
        reject,
      ),
    );
  const first = new Set([await name(), await name()]);
  t.deepEqual(first, new Set(['one', 'two']));
  isOneReady = false;
  const arrived = async () => new Set([await name(), await name()]);
  while ((await arrived()).has('one'));
  t.deepEqual(await arrived(), new Set(['two']));
});

test('a cut network refuses connections or loses bytes, until it is restored', async (t) => {
  const server = createServer((_request, response) => response.end('here'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const proxy = await startCutProxy((server.address() as AddressInfo).port);
  t.teardown(() => proxy.end());
  const text = async () => (await fetch(`http://127.0.0.1:${proxy.port}`, { headers: { connection: 'close' } })).text();
  t.is(await text(), 'here');
  await proxy.cut('refuse');
  await t.throwsAsync(text());
  await proxy.restore();
  t.is(await text(), 'here');

  await proxy.cut('drop');
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('error', () => undefined);
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
  });
  await new Promise<void>((resolve) => socket.write('GET / HTTP/1.0\r\n\r\n', () => resolve()));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await proxy.restore();
  await closed;
  t.is(received, 0, 'the server never received the request');
  t.is(await text(), 'here');
});
