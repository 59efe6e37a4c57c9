import fc from 'fast-check';
import type { DeliveryTimings } from '../../../src/delivery/timings.ts';
import type { DeliveryVerdict } from '../../../src/delivery/verdict.ts';
import type { Faults } from '../../../src/simulator/faults.ts';
import { startVirtualDevice, syntheticSketch } from '../../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../../src/simulator/options.ts';
import { patientTimings } from '../../simulator/patient-timings.ts';
import { deviceAddress, send, verdictsOf } from '../quick.ts';

/**
 * A tenth to a fifth of the default timings. A timeout that expires before the device responds may change the verdict, but the verdict must
 * still be correct.
 */
const impatientDelivery: DeliveryTimings = {
  lookupMs: 1000,
  invitationIntervalMs: 150,
  invitationMs: 2000,
  authenticationMs: 750,
  callBackMs: 1000,
  connectMs: 1000,
  stallMs: 2000,
  finalReplyMs: 200,
  ackGapMs: 50,
  pauseMs: 100,
  retryBudgetMs: 3000,
  attempts: 3,
  graceMs: 6000,
  windowMs: 3000,
};

/** One upload and its faults. */
export interface Schedule {
  readonly seed: number;
  readonly password: 'none' | 'right' | 'wrong' | 'missing';
  readonly image: 'good' | 'no-firmware' | 'too-large';
  readonly link: { readonly rttMs: number; readonly windowBytes: number };
  readonly faults: Faults;
}

const password = 'hunter2-of-the-door';
// A 1 MB chip, so that one image does not fit.
const flashSizeBytes = 1024 * 1024;
const good = syntheticSketch({ sizeBytes: 48 * 1024, seed: 5, flashSizeBytes });
const images = { good, 'no-firmware': new Uint8Array(30_000).fill(0x02), 'too-large': new Uint8Array(1_200_000) };

const share = fc.constantFrom(0, 0, 0.1, 0.3, 0.5);
const udp = fc.record({
  loseFirst: fc.constantFrom(0, 0, 1, 2, 3),
  loseShare: share,
  duplicateShare: share,
  reorderShare: share,
});
const transfer = fc.record({
  what: fc.constantFrom('reset' as const, 'end' as const, 'half-open' as const, 'stall' as const),
  at: fc.oneof(
    fc.constantFrom(0, 0.01, 0.5, 0.99, 1, 'after-last-ack' as const),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ),
  stallMs: fc.constantFrom(10, 400, 3500),
});
const seldom = <Fault>(fault: fc.Arbitrary<Fault>) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fault });
const faults: fc.Arbitrary<Faults> = fc.record({
  udp: fc.option(udp, { nil: undefined }),
  transfer: fc.option(transfer, { nil: undefined }),
  noResponse: seldom(fc.constant(true)),
  callBack: seldom(fc.constantFrom('never' as const, { from: '127.0.0.2' })),
  greeting: seldom(
    fc.constantFrom('OK', '1460', 'hello', 'ERROR[4]: x\n').map((text) => new Uint8Array(Buffer.from(text))),
  ),
  invitationResponse: seldom(
    fc.constantFrom('', 'OK', 'AUTH 12', 'ERR: ERROR[4]: Not Enough Space\n', 'Authentication Failed'),
  ),
  verdict: seldom(fc.constantFrom('none' as const, { text: 'O' }, { text: 'ERROR[1]: x\n' }, { text: 'nonsense' })),
  uploads: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
});

/** Generates schedules from a seed; most contain more than one fault. */
export function schedules(count: number, seed: number): Schedule[] {
  const arbitrary = fc.record({
    seed: fc.nat(),
    password: weighted({ none: 6, right: 6, wrong: 1, missing: 1 }),
    image: weighted({ good: 10, 'no-firmware': 1, 'too-large': 1 }),
    link: fc.record({ rttMs: fc.constantFrom(0, 0, 5, 20), windowBytes: fc.constantFrom(2144, 5840, 11_584) }),
    faults,
  });
  return fc.sample(arbitrary, { numRuns: count, seed });
}

function weighted<Name extends string>(weights: Readonly<Record<Name, number>>): fc.Arbitrary<Name> {
  // Object.keys is typed to return plain strings.
  const names = Object.keys(weights) as Name[];
  return fc.oneof(...names.map((name) => ({ weight: weights[name], arbitrary: fc.constant(name) })));
}

/** Returns the device options for a schedule. */
function optionsOf({ seed, password: word, link, faults: wrong }: Schedule): VirtualDeviceOptions {
  return {
    host: deviceAddress,
    seed,
    link,
    faults: wrong,
    image: { sizeBytes: 40 * 1024, flashSizeBytes },
    chipSizeBytes: flashSizeBytes,
    layout: { fsStart: 0xeb000, fsEnd: 0xfb000 },
    timings: { ...patientTimings, connectTimeoutMs: 300 },
    ...(word === 'none' ? {} : { password: word === 'wrong' ? 'another' : password }),
  };
}

/** Outcome of several schedules. */
export interface Outcome {
  /**
   * Violations with their schedules: a false report of acceptance, a correct password reported as incorrect, or a leaked
   * password.
   */
  readonly problems: string[];
  readonly verdicts: Map<DeliveryVerdict['kind'], number>;
}

async function problemOf(schedule: Schedule, { verdicts }: Outcome): Promise<string | undefined> {
  const device = await startVirtualDevice(optionsOf(schedule));
  try {
    const sent = await send(device, {
      image: images[schedule.image],
      timings: impatientDelivery,
      ...(schedule.password === 'missing' ? {} : { password }),
    });
    verdicts.set(sent.verdict.kind, (verdicts.get(sent.verdict.kind) ?? 0) + 1);
    if (JSON.stringify(sent).includes(password)) return 'the password is told';
    return falsehoodOf(schedule, sent.verdict, verdictsOf(device));
  } catch (error) {
    return String(error);
  } finally {
    await device.close();
  }
}

function falsehoodOf(schedule: Schedule, verdict: DeliveryVerdict, truth: readonly string[]): string | undefined {
  const { password: word, faults: wrong } = schedule;
  const isStaged = truth.includes('accepted');
  if (verdict.kind === 'accepted' && !isStaged) return 'a false OK';
  if (verdict.kind === 'unknown' && !verdict.mayHaveUpdated && isStaged) return 'said that the old sketch runs on';
  const isLying = wrong.invitationResponse !== undefined || wrong.greeting !== undefined || wrong.verdict !== undefined;
  if (verdict.kind === 'rejected' && !isLying) {
    if (verdict.by === 'password' && word !== 'wrong' && word !== 'missing') return 'the password was right';
    if (verdict.by === 'updater' && !truth.includes('rejected')) return 'a false rejection';
  }
  return undefined;
}

/** Runs the schedules, at most `atOnce` at a time. */
export async function carryOut(all: readonly Schedule[], atOnce: number): Promise<Outcome> {
  const outcome: Outcome = { problems: [], verdicts: new Map() };
  const rest = [...all];
  const work = async () => {
    for (let schedule = rest.pop(); schedule !== undefined; schedule = rest.pop()) {
      const problem = await problemOf(schedule, outcome);
      if (problem !== undefined) outcome.problems.push(`${problem}: ${JSON.stringify(schedule)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return outcome;
}
