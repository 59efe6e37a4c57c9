/** Lists of a rollout's devices, and devices that cannot take its release. */
import { isDeepStrictEqual } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { DeviceInfo } from '../../../src/api/admin-info.ts';
import {
  memberSelections,
  type RolloutDevices,
  type RolloutInfo,
  type RolloutTally,
  type reportSelections,
} from '../../../src/api/rollout-info.ts';
import { memberInfo } from '../../../src/server/services/rollouts/member-info.ts';
import { listMembers } from '../../../src/server/services/rollouts/member-lists.ts';
import { memberOf } from '../../../src/server/services/rollouts/tally.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { DeviceRecord, RolloutRecord } from '../../../src/server/storage/records.ts';
import { checkIn, draft, macOf, maintained, running, startFleet, startRollout } from '../../attack/rollouts/fleet.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { startTestServer, type TestServer } from '../running-server.ts';
import { saveDevice } from '../save-device.ts';

async function list(server: TestServer, id: number, query = ''): Promise<RolloutDevices> {
  const { status, body } = await server.api('GET', `/projects/door/rollouts/${id}/devices${query}`);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as unknown as RolloutDevices;
}

const threeStages = { stages: [{ canaries: ['device-0', 'device-1'] }, { share: 40 }, { share: 100 }] };

const from = fc.record({ address: fc.constantFrom('10.0.0.1', '10.0.0.2'), authenticated: fc.boolean() });

/** Changes to a device that affect its progress in the rollout of the releases with these IDs. */
function changes(releaseId: number) {
  const attempt = fc.record({
    releaseId: fc.constantFrom(releaseId, releaseId - 1),
    state: fc.constantFrom(
      'sent' as const,
      'received' as const,
      'interrupted' as const,
      'running' as const,
      'failed' as const,
    ),
    failure: fc.constantFrom('not-confirmed' as const, 'not-installed' as const),
    sentMs: fc.nat(5),
    from,
  });
  return fc.record({
    index: fc.nat(11),
    enrolled: fc.boolean(),
    group: fc.constantFrom(undefined, 'hall'),
    pin: fc.constantFrom(undefined, undefined, '1.0', '2.0'),
    running: fc.option(fc.record({ releaseId: fc.constantFrom(releaseId, releaseId - 1), from }), { nil: undefined }),
    attempt: fc.option(attempt, { nil: undefined }),
    code: fc.constantFrom(undefined, 'blocked no-space', 'running'),
    exclusion: fc.option(fc.boolean(), { nil: undefined }),
  });
}

type DeviceChange = ReturnType<typeof changes> extends fc.Arbitrary<infer Value> ? Value : never;

function changed(mac: string, { enrolled, group, pin, running, attempt, code, exclusion }: DeviceChange): DeviceRecord {
  const common = { version: '2.0', kind: 'sketch', sends: 1, receipts: 1, interruptions: 0, lastSentAt: 1 } as const;
  return {
    ...newRecord('door', mac),
    ...{ enrolled, group, pin },
    running: running && { by: 'md5', version: '2.0', sinceMs: 3, ...running },
    attempts: attempt === undefined ? [] : [{ ...common, dueMs: 1e12, ...attempt }],
    decisions: code === undefined ? {} : { sketch: { action: 'none', code, text: code, version: '2.0', at: 1 } },
    exclusion:
      exclusion === undefined ? undefined : { version: '2.0', code: 'board-unknown', text: 'a', isProven: exclusion },
  };
}

/** Returns whether a kind, such as `failed not-confirmed`, is selected. */
function has(kind: string, selection: (typeof reportSelections)[number]): boolean {
  const words = kind.split(' ');
  if (selection === 'without-credentials') return !words.includes('with-credentials');
  return words.includes(selection) && !(selection === 'unproven' && words.includes('blocked'));
}

/** Returns the number that the pages show for a selection. */
function countIn(tally: RolloutTally, selection: (typeof reportSelections)[number]): number {
  switch (selection) {
    case 'not-confirmed':
      return tally.notConfirmed;
    case 'unproven':
      return tally.unproven + tally.unprovenFailed + tally.undelivered;
    case 'with-credentials':
      return tally.withCredentials;
    case 'without-credentials':
      return tally.members - tally.withCredentials;
    default:
      return tally[selection];
  }
}

/** Compares the lists of a rollout with its counts and with the records. Returns undefined if the rollout changed meanwhile. */
async function differencesOf({ parts }: TestServer, rollout: RolloutRecord): Promise<readonly string[] | undefined> {
  const { id } = rollout;
  const show = async () => (await parts.rollouts.show('door', id)) as RolloutInfo;
  const current = await show();
  const records = (await parts.records.list('door', { limit: 100 })).map(({ record }) => record);
  const members = records.flatMap((record) => {
    const member = memberOf(rollout, record);
    return member === undefined ? [] : [{ mac: record.mac, ...member, state: member.kind.split(' ')[0] }];
  });
  const differences: string[] = [];
  const compare = (what: string, found: unknown, expected: unknown) => {
    if (!isDeepStrictEqual(found, expected)) differences.push(`${what}: ${found}, expected ${expected}`);
  };
  for (const stage of [undefined, 1, 2, 3]) {
    for (const status of [undefined, ...memberSelections]) {
      const expected = members.filter((member) => {
        if (stage !== undefined && member.stage !== stage - 1) return false;
        if (status === 'waiting') return member.stage < current.openStages && member.state !== 'running';
        return status === undefined || has(member.kind, status);
      });
      const what = `stage ${stage}, ${status}`;
      const listed: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await listMembers(parts, 'door', id, { stage, status, after, limit: 4 });
        compare(`total of ${what}`, page.total, expected.length);
        listed.push(...page.devices.map(({ mac }) => mac));
        after = page.next;
        if (after === undefined) break;
      }
      compare(
        `list of ${what}`,
        listed,
        expected.map(({ mac }) => mac),
      );
      if (status === undefined || status === 'waiting') continue;
      const tally = stage === undefined ? current.tally : current.stages[stage - 1]?.tally;
      compare(`count of ${what}`, tally && countIn(tally, status), expected.length);
    }
  }
  const { openStages, state } = await show();
  return openStages === current.openStages && state === current.state ? differences : undefined;
}

test('lists exactly the devices that it counts, for every stage and status', async (t) => {
  t.timeout(300_000);
  const server = await startFleet(t, 3);
  const { parts } = server;
  await startRollout(server, {
    ...threeStages,
    halt: { failures: 1000, notConfirmed: 1000, failurePercent: 100 },
  });
  const [rollout] = await parts.store.rollouts.current('door');
  const releaseId = rollout?.releaseIds[0];
  if (rollout === undefined || releaseId === undefined) throw new Error('no rollout');
  const macs = Array.from({ length: 12 }, (_, index) => macOf(index));
  await fc.assert(
    fc.asyncProperty(fc.array(changes(releaseId), { minLength: 1, maxLength: 12 }), async (all) => {
      for (const { index, ...change } of all) {
        await saveDevice(parts, changed(macs[index] ?? '', { index, ...change }));
      }
      // The server may open a stage between two reads; then both are made again.
      let differences: readonly string[] | undefined;
      while (differences === undefined) differences = await differencesOf(server, rollout);
      t.deepEqual(differences, []);
    }),
    propertyRuns(12, 300),
  );
  t.deepEqual(await parts.store.counts.differences(memberOf), []);
});

test('names the devices that a stage waits for, each with its reason and what to do', async (t) => {
  const server = await startFleet(t, 4);
  await server.api('PUT', `/projects/door/devices/${macOf(7)}`, { enrolled: true, name: 'asleep' });
  const stages = [{ canaries: ['device-0', 'device-1', 'device-2', 'asleep'] }, { share: 100 }];
  const { id } = await startRollout(server, { stages, halt: { failures: 9 } });
  for (let checks = 0; checks < 4; checks++) await checkIn(server, 0, running);
  t.is((await checkIn(server, 1, running)).status, 200);
  await checkIn(server, 1, draft);
  const tight = { mac: macOf(2), version: '0.5', freeSpace: 4096 };
  t.is((await requestAsDevice(server.port, '/update/door', tight)).status, 304);
  const { total, devices } = await list(server, id, '?status=waiting');
  t.is(total, 3);
  t.like(devices[0], {
    mac: macOf(0),
    stage: 1,
    status: 'failed',
    reason: '2.0 not installed: the device runs a different build.',
  });
  t.is(devices[0]?.fix, `run \`ota-hooks server devices retry door ${macOf(0)}\``);
  t.like(devices[1], { mac: macOf(2), status: 'blocked' });
  t.regex(devices[1]?.reason ?? '', /\(no-space\)\.$/);
  t.like(devices[2], {
    name: 'asleep',
    status: 'pending',
    reason: 'No update check yet.',
    fix: undefined,
    lastSeenAt: undefined,
  });
  const closed = await list(server, id, '?stage=2&status=pending');
  t.like(closed.devices[0], { mac: macOf(3), reason: 'Stage 2 is not open yet.' });
  t.is(closed.total, 1);
  await server.api('POST', `/projects/door/rollouts/${id}/pause`, {});
  const found = await server.parts.store.rollouts.find('door', id);
  const seen = await server.parts.records.show('door', macOf(3));
  if (found === undefined || seen === undefined) throw new Error('no rollout');
  t.is(
    memberInfo({ ...found, openStages: 2 }, { ...seen, lastSeenAt: Date.now() + 1000 }).reason,
    'The rollout is paused.',
  );
  await server.api('POST', `/projects/door/rollouts/${id}/abort`, {});
  t.is((await server.api('GET', '/projects/door/rollouts/77/devices')).status, 404);
  t.is((await server.api('GET', `/projects/door/rollouts/${id}/devices?status=tired`)).status, 422);
});

const signer = testSigner();
const build = (version: string, board: string, seed: number) =>
  testBuild({ version, board, project: 'door', signer, seed, sizeBytes: 8192 });
const [mini, node, nextMini, nextNode] = await Promise.all([
  build('1.0', 'd1_mini', 1),
  build('1.0', 'nodemcu', 2),
  build('2.0', 'd1_mini', 3),
  build('2.0', 'nodemcu', 4),
]);

type Runs = { readonly manifest: (typeof mini)['manifest'] } | 'unknown';

function requestWith(server: TestServer, index: number, runs: Runs) {
  const sketchMd5 = runs === 'unknown' ? 'f'.repeat(32) : sketchMd5Of(runs.manifest);
  return requestAsDevice(server.port, '/update/door', { mac: macOf(index), sketchMd5 });
}

/** Server with releases for these boards, and `devices` enrolled devices. */
async function boards(t: ExecutionContext, builds: readonly (typeof mini)[], devices: number): Promise<TestServer> {
  const server = await startTestServer(t);
  for (const each of [mini, node]) t.is((await server.publish(each)).status, 201);
  for (const each of builds) t.is((await server.publish(each, { draft: true })).status, 201);
  for (let index = 0; index < devices; index++) {
    await server.api('PUT', `/projects/door/devices/${macOf(index)}`, { enrolled: true, name: `device-${index}` });
  }
  return server;
}

test('counts devices with an unknown board as unable to take a release, and opens the next stage without them', async (t) => {
  const server = await boards(t, [nextMini, nextNode], 4);
  const stages = [{ canaries: ['device-0', 'device-1', 'device-2'] }, { share: 100 }];
  const { id } = await startRollout(server, { stages, gate: { soakMs: 0, runningPercent: 100 } });
  t.is((await requestWith(server, 0, mini)).header('x-version'), '2.0');
  for (const index of [1, 2]) t.is((await requestWith(server, index, 'unknown')).status, 304);
  t.like((await maintained(server, id)).stages[0]?.tally, { blocked: 2, unprovenBlocked: 0, updating: 1 });
  const { devices } = await list(server, id, '?status=blocked');
  t.is(devices[0]?.reason, '2.0 has images for d1_mini, nodemcu; the board of this device is unknown.');
  t.is(devices[0]?.fix, `run \`ota-hooks server devices set door ${macOf(1)} --board BOARD\``);
  const device = (await server.api('GET', `/projects/door/devices/${macOf(1)}`)).body as unknown as DeviceInfo;
  t.is(device.status, 'blocked');
  await requestWith(server, 0, nextMini);
  t.is((await maintained(server, id)).openStages, 2, 'one device proves the release');
  await server.api('PUT', `/projects/door/devices/${macOf(1)}`, { board: 'nodemcu' });
  t.like((await maintained(server, id)).stages[0]?.tally, { blocked: 1, pending: 1 });
  t.is((await requestWith(server, 1, 'unknown')).header('x-version'), '2.0');
});

test('opens a stage in which no device can be judged, but not the last stage without proof', async (t) => {
  const server = await boards(t, [nextMini, nextNode], 3);
  const stages = [{ canaries: ['device-0'] }, { canaries: ['device-1'] }, { share: 100 }];
  const { id } = await startRollout(server, { stages });
  await requestWith(server, 0, 'unknown');
  t.is((await maintained(server, id)).openStages, 2);
  await requestWith(server, 1, 'unknown');
  t.like(await maintained(server, id), {
    openStages: 2,
    waitingFor: 'an enrolled device in the stages before the last that can take 2.0',
  });
});

test('a gate does not trust a report without credentials that hides a known board', async (t) => {
  const server = await boards(t, [nextMini, nextNode], 3);
  const stages = [{ canaries: ['device-0'] }, { share: 50 }, { share: 100 }];
  await requestWith(server, 0, mini);
  const { id } = await startRollout(server, { stages });
  await requestWith(server, 0, 'unknown');
  const rollout = await maintained(server, id);
  t.like(rollout, { openStages: 1, tally: { blocked: 1, unprovenBlocked: 1 } });
  t.regex(rollout.waitingFor ?? '', /a device in the open stages to download 2\.0 \(1 blocked, reported without/);
});

test('a release without an image for a board does not wait for its devices, and leaves their status', async (t) => {
  const server = await boards(t, [nextMini], 3);
  const stages = [{ canaries: ['device-0', 'device-1', 'device-2'] }, { share: 100 }];
  const { id } = await startRollout(server, { stages });
  for (const index of [1, 2]) await requestWith(server, index, node);
  t.is((await requestWith(server, 0, mini)).header('x-version'), '2.0');
  await requestWith(server, 0, nextMini);
  const { devices } = await list(server, id, '?status=blocked');
  t.deepEqual(
    devices.map(({ reason }) => reason),
    Array(2).fill('2.0 has images for d1_mini; this device is a nodemcu.'),
  );
  t.is(
    ((await server.api('GET', `/projects/door/devices/${macOf(1)}`)).body as unknown as DeviceInfo).status,
    'up-to-date',
  );
  await maintained(server, id);
  t.is((await maintained(server, id)).state, 'complete');
});

test('shows devices in closed stages as pending until the rollout is aborted', async (t) => {
  const server = await startFleet(t, 2);
  const { id } = await startRollout(server, { stages: [{ canaries: ['device-0'] }, { share: 100 }] });
  const statusOf = async (index: number) => {
    t.is((await checkIn(server, index, running)).status, 304);
    const { status, sketch } = (await server.api('GET', `/projects/door/devices/${macOf(index)}`))
      .body as unknown as DeviceInfo;
    return `${status}: ${sketch?.text}`;
  };
  t.is(await statusOf(1), 'pending: Waiting for stage 2 of 2 of the rollout of 2.0.');
  await server.api('POST', `/projects/door/rollouts/${id}/pause`, {});
  t.is(await statusOf(0), 'pending: Waiting until the rollout of 2.0 is resumed.');
  t.is(await statusOf(1), 'pending: Waiting for stage 2 of 2 of the rollout of 2.0.');
  await server.api('POST', `/projects/door/rollouts/${id}/abort`, {});
  t.is(await statusOf(1), 'up-to-date: Runs 1.0, identified by sketch MD5.');
});
