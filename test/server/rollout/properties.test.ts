/** Rollout properties that hold for random fleets and random sequences of events. */
import test from 'ava';
import fc from 'fast-check';
import type { RolloutAction, RolloutStage } from '../../../src/api/rollout.ts';
import { overdue } from '../../../src/server/services/devices/attempts.ts';
import { decide } from '../../../src/server/services/devices/decide.ts';
import { readReport } from '../../../src/server/services/devices/report.ts';
import { whatRuns } from '../../../src/server/services/devices/running.ts';
import { actOn } from '../../../src/server/services/rollouts/actions.ts';
import { evaluateRollout } from '../../../src/server/services/rollouts/evaluate-rollout.ts';
import { positionOf, stageOf } from '../../../src/server/services/rollouts/stage.ts';
import { stepTo } from '../../../src/server/services/rollouts/step.ts';
import {
  evidenceOf,
  memberOf,
  optimisticEvidence,
  sumOf,
  talliesOf,
} from '../../../src/server/services/rollouts/tally.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { DeviceRecord, ReleaseRecord, RolloutMember, RolloutRecord } from '../../../src/server/storage/records.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { testBuild, testSigner } from '../builds.ts';

const signer = testSigner();
const retryPolicy = { confirmWithinMs: 1000, mostSends: 3 };
const by = 'tester';

async function release(id: number, version: string): Promise<ReleaseRecord> {
  const { manifest } = await testBuild({ signer, seed: id, sizeBytes: 8192 });
  return { id, project: 'door', version, kind: 'sketch', board: '', purpose: 'serve', publishedAt: 1, manifest };
}

const [previous, fresh] = [await release(1, '1.0'), await release(2, '2.0')];

function rolloutWith(stages: readonly RolloutStage[], more: Partial<RolloutRecord> = {}): RolloutRecord {
  return {
    id: 7,
    revision: 1,
    isCounted: true,
    project: 'door',
    channel: 'stable',
    version: '2.0',
    releaseIds: [fresh.id],
    previousIds: [previous.id],
    stages,
    gate: { runningPercent: 80, soakMs: 0 },
    halt: { failures: 3, failurePercent: 20, minimumSample: 8, notConfirmed: 2 },
    state: 'active',
    openStages: 1,
    accepted: { failed: 0, notConfirmed: 0, unprovenFailed: 0, unprovenNotConfirmed: 0 },
    unprovenResumes: 0,
    startedMs: 0,
    startedAt: 0,
    startedBy: by,
    history: [],
    samples: [],
    ...more,
  };
}

/** Behavior of a device that downloads the release. */
type Fate = 'updates' | 'stays-old' | 'vanishes' | 'breaks-off';

type Happening =
  | { readonly what: 'visit'; readonly device: number }
  | { readonly what: 'maintain' | 'time-passes' }
  | { readonly what: 'act'; readonly action: RolloutAction; readonly acceptFailures: boolean };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ what: fc.constant('visit' as const), device: fc.nat(29) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('maintain' as const) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('time-passes' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('act' as const),
      action: fc.constantFrom<RolloutAction>('pause', 'resume', 'advance', 'abort', 'rollback'),
      acceptFailures: fc.boolean(),
    }),
  },
);

interface Device {
  readonly fate: Fate;
  record: DeviceRecord;
  runs: ReleaseRecord;
  isGone: boolean;
  /** Number of open stages at each send of the new release. */
  readonly sent: number[];
  /** True if the device has ever run the new release. */
  hadIt: boolean;
}

/** Counts of a rollout's devices, kept as the store keeps them: each change of a device subtracts its contribution and adds the new one. */
class KeptCounts {
  readonly #rollout: RolloutRecord;
  readonly #members = new Map<string, RolloutMember>();
  readonly #devices = new Map<string, number>();

  constructor(rollout: RolloutRecord) {
    this.#rollout = rollout;
  }

  change(record: DeviceRecord): void {
    const before = this.#members.get(record.mac);
    const after = memberOf(this.#rollout, record);
    if (before !== undefined) this.#add(before, -1);
    if (after === undefined) this.#members.delete(record.mac);
    else {
      this.#members.set(record.mac, after);
      this.#add(after, 1);
    }
  }

  tallies() {
    const counts = [...this.#devices].map(([key, devices]) => ({ ...readKey(key), devices }));
    return talliesOf(this.#rollout, counts);
  }

  soaked(latestMs: number) {
    const found = [...this.#members.values()].filter(({ sinceMs = Number.POSITIVE_INFINITY }) => sinceMs <= latestMs);
    return found.map(({ stage }) => ({ stage, devices: 1 }));
  }

  #add({ stage, kind }: RolloutMember, devices: 1 | -1): void {
    const key = `${stage} ${kind}`;
    this.#devices.set(key, (this.#devices.get(key) ?? 0) + devices);
  }
}

function readKey(key: string): { readonly stage: number; readonly kind: string } {
  const [stage = '', ...words] = key.split(' ');
  return { stage: Number(stage), kind: words.join(' ') };
}

class World {
  rollout: RolloutRecord;
  readonly counts: KeptCounts;
  readonly devices: Device[];
  servedMs = 0;
  readonly violations: string[] = [];
  sentAfterHalt = 0;

  constructor(rollout: RolloutRecord, fates: readonly { fate: Fate; enrolled: boolean }[]) {
    this.rollout = rollout;
    this.counts = new KeptCounts(rollout);
    this.devices = fates.map(({ fate, enrolled }, index) => {
      const record = { ...newRecord('door', macOf(index)), enrolled };
      this.counts.change(record);
      return { fate, record, runs: previous, isGone: false, sent: [], hadIt: false };
    });
  }

  /** Does the same as `Rollouts.haltIfNeeded`. */
  save(device: Device, record: DeviceRecord): void {
    device.record = { ...record, revision: record.revision + 1 };
    this.counts.change(device.record);
    if (this.rollout.state !== 'active') return;
    const verdict = this.verdict();
    if (verdict.kind === 'halt')
      this.rollout = stepTo(this.rollout, 'halted', { by, at: 0, reason: verdict.reason }).rollout;
  }

  verdict() {
    const tallies = this.counts.tallies();
    const optimistic = evaluateRollout(this.rollout, optimisticEvidence(this.rollout, tallies));
    if (optimistic.kind === 'wait') return optimistic;
    const soaked = this.counts.soaked(this.servedMs);
    return evaluateRollout(this.rollout, evidenceOf(this.rollout, tallies, { soaked, unprovenAddresses: 0 }));
  }

  tally() {
    return sumOf(this.counts.tallies());
  }

  happen(event: Happening): void {
    switch (event.what) {
      case 'visit': {
        const device = this.devices[event.device % this.devices.length];
        if (device !== undefined && !device.isGone) this.checkIn(device);
        return;
      }
      case 'maintain':
        this.maintain();
        return;
      case 'time-passes':
        this.servedMs += 2000;
        for (const device of this.devices) {
          const attempts = overdue(device.record.attempts, { wallMs: 0, servedMs: this.servedMs });
          this.save(device, { ...device.record, attempts });
        }
        return;
      case 'act':
        try {
          const tally = this.tally();
          this.rollout = actOn(this.rollout, event.action, {
            by,
            at: 0,
            tally,
            acceptFailures: event.acceptFailures,
          }).rollout;
        } catch {
          // The action is invalid in this state and changes nothing.
        }
    }
  }

  maintain(): void {
    if (this.rollout.state !== 'active') return;
    const { kind } = this.verdict();
    const tally = this.tally();
    if (kind === 'halt') this.rollout = stepTo(this.rollout, 'halted', { by, at: 0 }).rollout;
    if (kind === 'open-next') this.rollout = actOn(this.rollout, 'advance', { by, at: 0, tally }).rollout;
  }

  checkIn(device: Device): void {
    const report = readReport({
      'x-esp8266-free-space': '1671168',
      'x-esp8266-sketch-size': '8192',
      'x-esp8266-sketch-md5': 'a'.repeat(32),
      'x-esp8266-chip-size': '4194304',
    });
    const before = this.rollout;
    const { decision, record } = decide({
      mode: 'sketch',
      channel: 'stable',
      report,
      running: whatRuns(report, [{ release: device.runs, flashMode: 'dio', isTrusted: true }], device.record),
      record: device.record,
      releases: {
        current: [previous],
        intermediateReleases: [],
        rollout: { rollout: this.rollout, releases: [fresh] },
      },
      retryPolicy,
      now: { wallMs: 0, servedMs: this.servedMs },
      from: { address: '127.0.0.1', authenticated: device.record.mac < macOf(15) },
      hasNewestSecret: false,
    });
    if (decision.action === 'send') this.sent(device, decision.release, before);
    this.save(device, record);
    if (decision.action === 'send') this.arrive(device, decision.release);
  }

  /** Records violations of the rollout invariants. */
  sent(device: Device, what: ReleaseRecord, { state, openStages }: RolloutRecord): void {
    const { mac } = device.record;
    if (what.id === previous.id) {
      if (state !== 'rolled-back') this.violations.push(`${mac} is put back while the rollout is ${state}`);
      return;
    }
    if (state !== 'active') this.violations.push(`${mac} is sent it while the rollout is ${state}`);
    if (stageOf(this.rollout, device.record) >= openStages) this.violations.push(`${mac} is sent it before its stage`);
    if (device.hadIt) this.violations.push(`${mac} is sent it again, though it ran it`);
    device.sent.push(openStages);
    if (device.sent.length > retryPolicy.mostSends)
      this.violations.push(`${mac} is sent the release ${device.sent.length} times`);
  }

  arrive(device: Device, what: ReleaseRecord): void {
    if (what.id === previous.id || device.fate === 'updates') {
      device.runs = what;
      device.hadIt ||= what.id === fresh.id;
    }
    if (what.id === fresh.id && device.fate === 'vanishes') device.isGone = true;
  }
}

function macOf(index: number): string {
  return `02:00:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`.toUpperCase();
}

const fates = fc.array(
  fc.record({
    fate: fc.oneof(
      { weight: 8, arbitrary: fc.constant<Fate>('updates') },
      { weight: 1, arbitrary: fc.constantFrom<Fate>('stays-old', 'vanishes', 'breaks-off') },
    ),
    enrolled: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  }),
  { minLength: 1, maxLength: 30 },
);

/** Outcomes of a defective release. */
const badFates = fc.array(
  fc.record({
    fate: fc.constantFrom<Fate>('updates', 'stays-old', 'vanishes', 'breaks-off'),
    enrolled: fc.constant(true),
  }),
  { minLength: 8, maxLength: 30 },
);

const stagesOf = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 4 })
  .map((shares) =>
    [...shares.sort((a, b) => a - b), 100].map((share): RolloutStage => ({ share, canaries: [], groups: [] })),
  );

test('sends a release only to devices in open stages, and reverts devices only on a rollback', (t) => {
  fc.assert(
    fc.property(stagesOf, fates, fc.array(happening, { maxLength: 200 }), (stages, devices, events) => {
      const world = new World(rolloutWith(stages), devices);
      for (const event of events) world.happen(event);
      t.deepEqual(world.violations, []);
    }),
    propertyRuns(100, 3_000),
  );
});

test('never sends the release after a halt, however often devices check in', (t) => {
  fc.assert(
    fc.property(
      stagesOf,
      badFates,
      fc.array(happening, { minLength: 100, maxLength: 200 }),
      (stages, devices, events) => {
        const world = new World(rolloutWith(stages, { openStages: stages.length }), devices);
        for (const event of events) if (world.rollout.state !== 'halted') world.happen(event);
        fc.pre(world.rollout.state === 'halted');
        const sends = world.devices.map(({ sent }) => sent.length);
        for (let round = 0; round < 3; round++) {
          for (const device of world.devices) if (!device.isGone) world.checkIn(device);
          world.happen({ what: 'time-passes' });
          world.maintain();
        }
        t.is(world.rollout.state, 'halted');
        t.deepEqual(
          world.devices.map(({ sent }) => sent.length),
          sends,
        );
      },
    ),
    // Only sequences that halt the rollout count as runs. fast-check fails if fewer than 1 in 100 sequences do.
    propertyRuns(40, 1_000),
  );
});

test('keeps the same counts as a new count of the device records', (t) => {
  fc.assert(
    fc.property(stagesOf, fates, fc.array(happening, { maxLength: 80 }), (stages, devices, events) => {
      const world = new World(rolloutWith(stages), devices);
      for (const event of events) world.happen(event);
      const again = new KeptCounts(world.rollout);
      for (const { record } of [...world.devices].reverse()) again.change(record);
      t.deepEqual(again.tallies(), world.counts.tallies());
    }),
    propertyRuns(40, 1_000),
  );
});

test('sends a good release to every device exactly once', (t) => {
  const fine = Array.from({ length: 30 }, () => ({ fate: 'updates', enrolled: true }) as const);
  const world = new World(rolloutWith([10, 40, 100].map((share) => ({ share, canaries: [], groups: [] }))), fine);
  for (let round = 0; round < 10; round++) {
    for (const device of world.devices) world.checkIn(device);
    world.maintain();
  }
  t.deepEqual(world.violations, []);
  t.deepEqual(new Set(world.devices.map(({ sent }) => sent.length)), new Set([1]));
  t.is(world.tally().running, 30);
});

test('assigns each stage its share of the devices, and keeps each device in its stage', (t) => {
  const devices = 20_000;
  const macs = Array.from({ length: devices }, (_, index) => macOf(index));
  for (const version of ['1.0', '2.0-rc.1', '20261127']) {
    const positions = macs.map((mac) => positionOf({ project: 'door', version }, mac));
    for (const share of [1, 5, 20, 50, 90]) {
      const inside = positions.filter((position) => position < share).length / devices;
      const spread = 5 * Math.sqrt(((share / 100) * (1 - share / 100)) / devices);
      t.true(Math.abs(inside - share / 100) < spread, `${version}: ${share} % holds ${inside * 100} %`);
    }
  }
  const rollout = rolloutWith([5, 50, 100].map((share) => ({ share, canaries: [], groups: [] })));
  for (const mac of macs.slice(0, 200)) {
    const device = { mac, enrolled: true };
    t.is(stageOf(rollout, device), stageOf({ ...rollout, version: '2.0' }, device));
    t.is(stageOf(rollout, { ...device, enrolled: false }), 2, 'who is not enrolled comes last');
  }
  const first = macs.filter((mac) => positionOf({ project: 'door', version: '1.0' }, mac) < 5);
  const second = first.filter((mac) => positionOf({ project: 'door', version: '1.1' }, mac) < 5);
  t.true(second.length < first.length / 4, 'it is not always the same devices that go first');
});
