/** Responses while the database is unavailable. */
import test from 'ava';
import type { Store } from '../../../src/server/storage/store.ts';
import { StoreUnavailableError } from '../../../src/server/storage/store-unavailable.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { startTestServer } from '../running-server.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer, sizeBytes: 8192 });

/** Makes every method of a store fail until the returned function is called. */
function breakStore(store: Store): () => void {
  const parts: object[] = [store, store.catalog, store.devices, store.rollouts, store.tokens, store.sessions];
  const repairs = parts.map((part) => {
    const before = { ...part };
    for (const [name, method] of Object.entries(part)) {
      if (typeof method !== 'function' || name === 'close' || name === 'lead' || name === 'dump') continue;
      const fail = async () => {
        throw new StoreUnavailableError('connection refused');
      };
      Object.assign(part, { [name]: fail });
    }
    return () => Object.assign(part, before);
  });
  return () => {
    for (const repair of repairs) repair();
  };
}

test('returns 503 with Retry-After while the database is unavailable, and recovers by itself', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const upToDate = { sketchMd5: sketchMd5Of(build.manifest) };
  t.is((await requestAsDevice(server.port, '/update/door', upToDate)).status, 304);
  const repair = breakStore(server.parts.store);
  for (let count = 0; count < 20; count++) {
    const { status, header } = await requestAsDevice(server.port, '/update/door', upToDate);
    t.deepEqual([status, header('retry-after')], [503, '60'], 'a 304 would mean that there is nothing to install');
  }
  const file = build.manifest.artifacts[0]?.file;
  t.is((await requestAsDevice(server.port, `/files/door/1.0/${file}`, { without: ['x-ESP8266-STA-MAC'] })).status, 503);
  const { status, body } = await server.api('GET', '/projects');
  t.is(status, 503);
  t.like(body, { error: { code: 'unavailable' } });
  const page = await fetch(`${server.url}/`, { redirect: 'manual', headers: { cookie: `ota=${'x'.repeat(43)}` } });
  t.deepEqual([page.status, page.headers.get('retry-after')], [503, '60']);
  t.is((await fetch(`${server.url}/healthz`)).status, 200, 'a restart would not help');
  const ready = await fetch(`${server.url}/readyz`);
  t.is(ready.status, 503);
  t.like(await ready.json(), { problems: ['records-unwritable'] });

  repair();
  t.is((await requestAsDevice(server.port, '/update/door', upToDate)).status, 304);
  while (!server.logged.some(({ message }) => message === 'Database available again')) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const lines = server.logged
    .filter(({ level }) => level === 'error' || level === 'warn')
    .map(({ message }) => message);
  t.deepEqual(lines, ['Database unavailable; requests are rejected with 503', 'Database available again']);
});
