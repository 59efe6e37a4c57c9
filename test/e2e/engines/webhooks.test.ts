/** Webhooks of server processes that share a PostgreSQL database, and of a process that is killed. */
import test from 'ava';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { digestOf, releaseRequest, upload } from '../../server/running-server.ts';
import { startReceiver, typesIn } from '../../server/webhooks/receiver.ts';
import { testFolder } from '../../support/test-folder.ts';
import { serveWith } from '../server/serving-process.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer, sizeBytes: 8192 });
let cluster: PostgresCluster;

test.before(async () => {
  cluster = await startPostgres();
});

test.after.always(() => cluster?.end());

async function send(url: string | undefined, token: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const json = (await response.json()) as Readonly<Record<string, unknown>>;
  if (!response.ok) throw new Error(JSON.stringify(json));
  return json;
}

async function publish(url: string | undefined, token: string): Promise<void> {
  for (const bytes of build.files.values()) await upload(url ?? '', bytes, token, await digestOf(bytes));
  await send(url, token, 'POST', '/projects/door/releases', releaseRequest(build.manifest));
}

function webhook(url: string) {
  return { url, events: ['release.published', 'release.promoted'], allowPrivate: true };
}

test('of two processes on one database, one sends each event, and a process that is killed loses none', async (t) => {
  t.timeout(180_000);
  const env = { OTA_DATABASE_URL: await cluster.createDatabase('webhooks') };
  const folder = await testFolder(t);
  const first = await serveWith(folder.at('data'), undefined, { env });
  const { token = '' } = first;
  const second = await serveWith(folder.at('data'), undefined, { env });
  t.teardown(async () => {
    for (const each of [first, second]) each.kill('SIGKILL');
    await Promise.all([first.ended, second.ended]);
  });
  const receiver = await startReceiver(t);
  const { id } = await send(first.url, token, 'POST', '/webhooks', webhook(receiver.url));
  await publish(second.url, token);
  for (let count = 0; count < 10; count++) {
    const url = count % 2 === 0 ? first.url : second.url;
    await send(url, token, 'PUT', `/projects/door/channels/channel-${count}`, { version: '1.0' });
  }
  await receiver.received(11);
  t.deepEqual(typesIn(receiver.log), ['release.published', ...Array(10).fill('release.promoted')]);
  t.is(new Set(receiver.log.map(({ headers }) => headers['webhook-id'])).size, 11, 'each event is sent once');

  // The first process leads. It is killed while it waits for the response of the receiver.
  receiver.answer = 'hang';
  await send(second.url, token, 'PUT', '/projects/door/channels/last', { version: '1.0' });
  await receiver.received(12);
  receiver.answer = { status: 200 };
  first.kill('SIGKILL');
  await first.ended;
  await receiver.received(13);
  t.is(receiver.log[12]?.headers['webhook-id'], receiver.log[11]?.headers['webhook-id']);
  t.is(receiver.log[12]?.body, receiver.log[11]?.body);
  const pending = async () => (await send(second.url, token, 'GET', '/webhooks'))['webhooks'] as { pending: number }[];
  while ((await pending())[0]?.pending !== 0) await new Promise((resolve) => setTimeout(resolve, 50));
  t.is(receiver.log.length, 13);
  t.is(id, 1);
});

test('a killed server sends the event again after its restart', async (t) => {
  t.timeout(120_000);
  const folder = await testFolder(t);
  const receiver = await startReceiver(t);
  receiver.answer = 'hang';
  const killed = await serveWith(folder.at('data'));
  const { token = '' } = killed;
  await send(killed.url, token, 'POST', '/webhooks', webhook(receiver.url));
  await publish(killed.url, token);
  await receiver.received(1);
  killed.kill('SIGKILL');
  await killed.ended;
  receiver.answer = { status: 200 };
  const next = await serveWith(folder.at('data'));
  t.teardown(async () => {
    next.kill('SIGKILL');
    await next.ended;
  });
  await receiver.received(2);
  t.is(receiver.log[1]?.headers['webhook-id'], receiver.log[0]?.headers['webhook-id']);
  t.is(receiver.log[1]?.body, receiver.log[0]?.body);
});
