/** Windows and limits per hour of rollouts. */
import test, { type ExecutionContext } from 'ava';
import { isWindowOpen } from '../../../src/server/services/rollouts/window.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { startTestServer } from '../running-server.ts';

const signer = testSigner();
const build = (version: string, seed: number) => testBuild({ version, project: 'door', signer, seed, sizeBytes: 8192 });
const [old, young] = [await build('1.0', 1), await build('2.0', 2)];
const minuteMs = 60_000;

/** Returns a window in UTC that begins and ends this many minutes from now. */
function windowAround(from: number, to: number) {
  const time = (minutes: number) => new Date(Date.now() + minutes * minuteMs).toISOString().slice(11, 16);
  return { from: time(from), to: time(to), timeZone: 'UTC' };
}

function macOf(index: number): string {
  return `18:FE:34:00:00:0${index}`;
}

/** A server with enrolled devices that run 1.0, and a rollout of 2.0 to all of them. */
async function rollout(t: ExecutionContext, request: object, devices = 4) {
  const server = await startTestServer(t);
  await server.publish(old);
  await server.publish(young, { draft: true });
  for (let index = 0; index < devices; index++) await server.api('PUT', `/projects/door/devices/${macOf(index)}`, {});
  const stages = [{ share: 100 }];
  const started = await server.api('POST', '/projects/door/rollouts', { version: '2.0', stages, ...request });
  const check = async (index: number) =>
    requestAsDevice(server.port, '/update/door', { mac: macOf(index), sketchMd5: sketchMd5Of(old.manifest) });
  const versionFor = async (index: number) => (await check(index)).header('x-version');
  return { server, started, check, versionFor };
}

test('sends a release only within the window of its rollout, and shows devices as pending meanwhile', async (t) => {
  const closed = await rollout(t, { window: windowAround(60, 120) });
  t.like(closed.started, { status: 201, body: { isWindowOpen: false } });
  t.is((await closed.check(0)).status, 304);
  const { body } = await closed.server.api('GET', `/projects/door/devices/${macOf(0)}`);
  t.like(body, { status: 'pending', attempts: [] });
  t.regex(JSON.stringify(body), /Waiting for the window of the rollout of 2\.0: \d\d:\d\d-\d\d:\d\d UTC/);
  const open = await rollout(t, { window: windowAround(-60, 120) });
  t.like(open.started, { status: 201, body: { isWindowOpen: true } });
  t.is(await open.versionFor(0), '2.0');
});

test('the clock of the database decides about a window, not the clock of the process that decides about the device', async (t) => {
  const { server, check } = await rollout(t, { window: windowAround(60, 120) });
  const { clock } = server.parts;
  const now = clock.now.bind(clock);
  // The clock of this process is 90 minutes ahead, so that the window seems to be open.
  clock.now = () => ({ ...now(), wallMs: now().wallMs + 90 * minuteMs });
  t.is((await check(0)).status, 503);
  t.deepEqual((await server.parts.records.find('door', macOf(0)))?.attempts ?? [], []);
});

test('sends a release to no more devices per hour than its rollout permits, even if they check at the same time', async (t) => {
  const { server, check, versionFor } = await rollout(t, { perHour: 2 }, 6);
  const responses = await Promise.all(Array.from({ length: 6 }, (_, index) => check(index)));
  t.is(responses.filter((response) => response.header('x-version') === '2.0').length, 2);
  const attempts = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => (await server.parts.records.find('door', macOf(index)))?.attempts),
  );
  t.is(attempts.flatMap((found) => found ?? []).length, 2);
  const next = responses.findIndex((response) => response.header('x-version') === undefined);
  t.not(await versionFor(next), '2.0');
  const { body } = await server.api('GET', `/projects/door/devices/${macOf(next)}`);
  t.regex(JSON.stringify(body), /the rollout of 2\.0 sends at most 2 updates per hour/);
  t.is(await server.parts.store.rollouts.sendsWithinHour(1), 2);
});

test('a window follows the clocks of its time zone when they go forward and back', (t) => {
  const berlin = (from: string, to: string) => ({ from, to, timeZone: 'Europe/Berlin' });
  const openMinutes = (from: string, to: string, day: string) => {
    const start = Date.parse(day);
    const minutes = Array.from({ length: 24 * 60 }, (_, minute) => start + minute * minuteMs);
    return minutes.filter((at) => isWindowOpen(berlin(from, to), at)).length;
  };
  // Noon to noon UTC around the nights of the changes.
  const [winter, forward, back] = ['2027-01-15T12:00Z', '2027-03-27T12:00Z', '2027-10-30T12:00Z'] as const;
  t.is(openMinutes('01:00', '05:00', winter), 240);
  t.is(openMinutes('01:00', '05:00', forward), 180, 'the hour from 02:00 to 03:00 does not exist');
  t.is(openMinutes('01:00', '05:00', back), 300, 'the hour from 02:00 to 03:00 exists twice');
  t.is(openMinutes('02:00', '03:00', forward), 0);
  t.is(openMinutes('02:00', '03:00', back), 120);
  t.true(isWindowOpen(berlin('22:00', '04:00'), Date.parse('2027-01-15T23:30Z')), 'a window may include midnight');
  t.false(isWindowOpen(berlin('22:00', '04:00'), Date.parse('2027-01-15T03:00Z')));
  t.true(isWindowOpen(undefined, 0));
});

test('rejects a window that is empty, malformed or in an unknown time zone', async (t) => {
  const { server } = await rollout(t, {}, 1);
  const start = (window: object) => server.api('POST', '/projects/door/rollouts', { version: '2.0', window });
  for (const window of [
    { from: '01:00', to: '01:00' },
    { from: '24:00', to: '05:00' },
    { from: '1:00', to: '05:00' },
    { from: '01:00', to: '05:00', timeZone: 'Europe/Nowhere' },
    { from: '01:00', to: '05:00', timeZone: '+01:00' },
  ]) {
    t.is((await start(window)).status, 422, JSON.stringify(window));
  }
});

test('a retried failure counts towards the halt limits again, also if it was accepted', async (t) => {
  const { server } = await rollout(t, { halt: { failures: 2 } });
  const failBoth = async () => {
    for (const index of [0, 1]) {
      const mac = macOf(index);
      await server.parts.records.change('door', mac, (record) => record && { ...record, ...failedUpdate });
    }
  };
  const state = async () => (await server.api('GET', '/projects/door/rollouts/1')).body['state'];
  await failBoth();
  t.is(await state(), 'halted');
  await server.api('POST', '/projects/door/rollouts/1/resume', { acceptFailures: true });
  const retried = await server.api('POST', '/projects/door/devices/retry', { devices: { status: 'failed' } });
  t.like(retried.body, { matched: 2, changed: 2 });
  t.is(await state(), 'active');
  await failBoth();
  t.is(await state(), 'halted');
});

/** Release 2.0 was sent to a device, which did not install it. */
const failedUpdate = {
  attempts: [
    {
      ...({ releaseId: 2, version: '2.0', kind: 'sketch', state: 'failed', failure: 'not-installed' } as const),
      ...{ sends: 3, receipts: 3, interruptions: 0, lastSentAt: 1, dueMs: 1, sentMs: 1 },
    },
  ],
  decisions: { sketch: { action: 'none', code: 'failed', text: 'not installed', version: '2.0', at: 1 } as const },
};
