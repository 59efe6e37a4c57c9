/** Forged forms: a page on another site cannot use the session of a logged-in user. */
import test from 'ava';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { startTestServer } from '../../server/running-server.ts';
import { saveDevice } from '../../server/save-device.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { inParallel } from '../support/in-parallel.ts';

const mac = '18:FE:34:00:00:01';
const actions = [
  `/projects/door/devices/${encodeURIComponent(mac)}/retry`,
  '/projects/door/releases/yank',
  '/projects/door/rollouts/1/abort',
  '/projects/door/rollouts/1/resume',
  '/logout',
];
/** Headers that a browser sends from a page on another site, and the headers that remain with older browsers or privacy settings. */
const senders: readonly Readonly<Record<string, string>>[] = [
  {},
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://127.0.0.1.evil.example' },
  { origin: 'http://evil.example/?127.0.0.1' },
  { origin: 'file://' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
  { referer: 'http://127.0.0.1/' },
  { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' },
];
const types = [
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=b',
  'text/plain',
  'application/json',
  '',
];
/** Forms without the session's form token, or with a guess of it. */
const bodies = [
  'form=',
  'form=guess',
  '--b\r\nContent-Disposition: form-data; name="form"\r\n\r\nguess\r\n--b--\r\n',
  '',
];

test('rejects every forged form from another site', async (t) => {
  const server = await startTestServer(t, { limits: { failuresPerAddress: 1e9, failuresPerSecond: 1e9 } });
  await server.publish(await testBuild({ version: '1.0', project: 'door', signer: testSigner() }));
  await saveDevice(server.parts, { ...newRecord('door', mac), enrolled: true });
  const login = await fetch(`${server.url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: server.url, 'content-type': 'application/x-www-form-urlencoded' },
    body: `token=${server.token}`,
  });
  t.is(login.status, 303);
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const pages = () => fetch(`${server.url}/`, { headers: { cookie } });
  const { body: before } = await server.api('GET', '/audit');
  const attacks = actions.flatMap((path) =>
    senders.flatMap((headers) => types.flatMap((type) => bodies.map((body) => ({ path, headers, type, body })))),
  );
  const withstood = await inParallel(attacks, async ({ path, headers, type, body }) => {
    const { status } = await fetch(server.url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie, ...headers, ...(type && { 'content-type': type }) },
      body,
    });
    // A logout without the form token redirects to the login page and leaves the session open.
    const isRejected = path === '/logout' ? status === 303 || status === 403 : status === 403;
    if (!isRejected) t.fail(`${status} to ${JSON.stringify({ path, headers, type, body })}`);
    return isRejected;
  });
  t.is(withstood, attacks.length);
  t.is((await pages()).status, 200, 'the session is still open');
  t.deepEqual((await server.api('GET', '/audit')).body, before);
  countAttacks({ kind: 'forged forms (CSRF)', tried: attacks.length, withstood });
});
