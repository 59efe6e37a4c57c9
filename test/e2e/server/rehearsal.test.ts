/** Rollout rehearsal: 200 virtual devices in one process, with seeded faults, against a real server. */
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { DeviceInfo } from '../../../src/api/admin-info.ts';
import { apiRoot } from '../../../src/api/release.ts';
import type { RolloutRequest } from '../../../src/api/rollout.ts';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { releaseRequest, upload } from '../../server/running-server.ts';
import { testFolder } from '../../support/test-folder.ts';
import { cli, serveWith } from './serving-process.ts';
import { SimulatedFleet } from './simulated-fleet.ts';

const devices = 200;
const patienceMs = 480_000;
const signer = testSigner();
const build = (version: string, seed: number) =>
  testBuild({ version, project: 'door', signer, seed, sizeBytes: 65_536 });
const [running, good, bad] = [await build('1.0', 1), await build('1.1', 2), await build('1.2', 3)];
const stages: NonNullable<RolloutRequest['stages']> = [
  { share: 2 },
  { share: 10 },
  { share: 25 },
  { share: 50 },
  { share: 100 },
];

/** A server with `running` as the current release, `next` as a draft, and an enrolled fleet that runs `running`. */
async function rehearsal(t: ExecutionContext, next: Build, faults: readonly string[]) {
  t.timeout(9 * 60_000);
  const image = running.files.get('door.bin');
  const folder = await testFolder(t, { 'public.key': signer.publicKey.pem, 'running.bin': image ?? '' });
  const server = await serveWith(folder.at('data'));
  t.teardown(async () => {
    server.kill('SIGTERM');
    await server.ended;
  });
  const { url = '', token = '' } = server;
  const api = async <ScriptedResponse>(method: string, path: string, body?: unknown): Promise<ScriptedResponse> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${url}${apiRoot}${path}`, { method, headers, ...init });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    // The server defines these types.
    return (await response.json()) as ScriptedResponse;
  };
  for (const release of [running, next]) {
    for (const bytes of release.files.values()) await upload(url, bytes, token);
    const request = releaseRequest(release.manifest, { draft: release === next });
    await api('POST', '/projects/door/releases', request);
  }
  const fleet = SimulatedFleet.start(t, cli, folder.path, [
    ...['--count', String(devices), '--image', 'running.bin', '--public-key', 'public.key', '--no-web'],
    ...['--update-url', `${url}/update/door`, '--interval', '1', '--quick', '--seed', '1', ...faults],
  ]);
  await fleet.until(
    () => fleet.macs(({ event }) => event === 'checked').size === devices,
    'all devices sent an update check',
  );
  const device = (mac: string) => `/projects/door/devices/${encodeURIComponent(mac)}`;
  for (const mac of fleet.macs(() => true)) await api('PUT', device(mac), { enrolled: true });
  return {
    fleet,
    api,
    device,
    accepted: () => fleet.events.filter((event) => event.event === 'update' && event.verdict === 'accepted'),
    find: (mac: string) => api<DeviceInfo>('GET', device(mac)),
    /** Polls the rollout until the condition holds. */
    async settled(isSettled: (rollout: RolloutInfo) => boolean): Promise<RolloutInfo> {
      const end = Date.now() + patienceMs;
      for (;;) {
        const rollout = await api<RolloutInfo>('GET', '/projects/door/rollouts/1');
        if (isSettled(rollout)) return rollout;
        if (Date.now() > end)
          throw new Error(
            `the rollout did not reach the expected state: ${JSON.stringify({ ...rollout, samples: [] })}`,
          );
        await pause(250);
      }
    },
  };
}

test.serial(
  'rolls out a good release to 200 devices stage by stage, once per device, despite random faults',
  async (t) => {
    const { fleet, api, accepted, find, settled } = await rehearsal(t, good, ['--random-faults']);
    // A short confirmation time also shortens the waits after interrupted downloads.
    await api('PUT', '/projects/door', { confirmWithinMs: 120_000 });
    await api('POST', '/projects/door/rollouts', { version: '1.1', stages, gate: { soakMs: 0 } });
    const { history, tally } = await settled(({ state }) => state === 'complete' || state === 'halted');
    t.deepEqual(
      history.map(({ event }) => event),
      ['started', 'stage 2 opened', 'stage 3 opened', 'stage 4 opened', 'stage 5 opened', 'completed'],
    );
    t.is(tally.failed, 0);
    t.true(tally.running >= 0.9 * devices);

    const isThere = sketchMd5Of(good.manifest);
    const arrivals = () => fleet.events.filter((event) => event.event === 'boot' && event.sketchMd5 === isThere);
    await fleet.until(() => arrivals().length >= devices, 'all devices run the release');
    await fleet.checkInWithoutUpdate(fleet.macs(() => true));
    for (const events of [arrivals(), accepted()]) {
      t.is(events.length, devices);
      t.is(new Set(events.map(({ mac }) => mac)).size, devices, 'no device is updated twice');
    }
    const broken = fleet.events.filter((event) => event.event === 'update' && event.verdict === 'rejected');
    t.true(broken.length > 20, `${broken.length} transfers were interrupted`);

    for (const { mac, heardAt } of accepted()) {
      const { rollout } = await find(mac);
      const opened = history[(rollout?.stage ?? Number.NaN) - 1]?.at ?? '';
      t.true(heardAt >= Date.parse(opened), `${mac} was updated before stage ${rollout?.stage} opened`);
    }
  },
);

test.serial('halts the rollout of a bad release automatically and stops sending the release', async (t) => {
  const faults = ['--fault', 'offline=10%@1.2'];
  const { fleet, api, accepted, device, find, settled } = await rehearsal(t, bad, faults);
  await api('PUT', '/projects/door', { confirmWithinMs: 10_000 });
  const limit = 2;
  await api('POST', '/projects/door/rollouts', {
    version: '1.2',
    stages: [{ share: 2, groups: ['first'] }, ...stages.slice(1)],
    halt: { notConfirmed: limit },
    gate: { soakMs: 0 },
  });
  const halted = await settled(({ state }) => state === 'complete' || state === 'halted');
  t.is(halted.state, 'halted');
  t.regex(halted.reason ?? '', /^2 devices did not confirm 1\.2 \(limit: 2\); all reports from 1 address, unproven$/);
  const haltedAt = Date.parse(halted.history.at(-1)?.at ?? '');

  const harmed = fleet.macs(({ event }) => event === 'bricked');
  const living = [...fleet.macs(() => true)].filter((mac) => !harmed.has(mac));
  // Move devices without the release to an open stage. Without the halt, the server would now send them the release.
  const waiting = living.filter((mac) => !accepted().some((event) => event.mac === mac));
  for (const mac of waiting.slice(0, 20)) await api('PUT', device(mac), { group: 'first' });
  await fleet.checkInWithoutUpdate(living);
  // Attempts that were in progress at the halt may have failed since then. No other device can fail.
  const inFlight = halted.tally.updating + halted.tally.failed - limit;
  t.true(harmed.size >= limit);
  t.true(harmed.size <= limit + inFlight, `${harmed.size} devices failed, and ${inFlight} updates were in progress`);
  t.is(fleet.macs(({ event }) => event === 'bricked').size, harmed.size, 'no device was bricked after the halt');

  const reached = accepted().map(({ mac }) => mac);
  t.is(new Set(reached).size, reached.length);
  t.true(reached.length < devices / 2);
  t.is(halted.tally.pending, devices - reached.length);
  for (const mac of fleet.macs(() => true)) {
    const { attempts, rollout } = await find(mac);
    const attempt = attempts.find(({ version }) => version === '1.2');
    t.is(attempt !== undefined, reached.includes(mac), mac);
    if (attempt === undefined) continue;
    t.true(Date.parse(attempt.lastSentAt) <= haltedAt, `the release was sent to ${mac} after the halt`);
    t.true((rollout?.stage ?? Number.NaN) <= halted.openStages, `the stage of ${mac} was not open`);
  }
});
