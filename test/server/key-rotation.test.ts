/**
 * Random schedules of releases, rotations, lost updates and stragglers. Signatures are modeled as the fingerprints of their keys: a device
 * installs an artifact if and only if it holds the key. All decisions are made by the code of the commands, the server and the planner.
 */
import test from 'ava';
import fc from 'fast-check';
import { keyUse } from '../../src/cli/commands/keys/status.ts';
import type { DeviceFacts } from '../../src/core/model/device-facts.ts';
import type { Artifact, Manifest, ManifestKey } from '../../src/core/model/manifest.ts';
import { type Plan, plan } from '../../src/core/preflight/plan.ts';
import { factsOfBuild } from '../../src/core/preflight/running.ts';
import type { KeyRole } from '../../src/project/config/types.ts';
import { withActivated, withRetired } from '../../src/project/keys/key-roles.ts';
import { acceptedKeys } from '../../src/server/services/devices/key-holders.ts';
import { intermediatesOf } from '../../src/server/services/releases/project-view.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { testBuild, testSigner } from './builds.ts';

const { manifest: base } = await testBuild({ signer: testSigner(), project: 'door', board: 'd1' });
/** One artifact is enough: all artifacts of a release are signed with the same key. */
const signed = base.artifacts.filter(({ signature, encoding }) => signature === 'current' && encoding === 'identity');
const mostReleasesLookedAt = 32;
const cores = ['2.7.4', '3.0.2', '3.1.2'];

interface Key {
  readonly name: string;
  readonly role: KeyRole;
  readonly fingerprint: string;
}

interface Release extends Manifest {
  /** Release as the server stores it. */
  readonly stored: { readonly kind: 'sketch'; readonly board: string; readonly manifest: Manifest };
}

interface Device {
  runs: Release;
  /** A straggler requests no update before the end of the schedule. */
  readonly isStraggler: boolean;
}

function keyNumber(number: number): ManifestKey {
  return { fingerprint: number.toString(16).padStart(64, '0'), bits: 2048, pem: '' };
}

/** Project, server and fleet of one schedule. */
class Schedule {
  keys: readonly Key[] = [{ name: '0', role: 'signing', fingerprint: keyNumber(0).fingerprint }];
  isGuarded = false;
  hops = 0;
  /** Releases of the channel, newest first. */
  #releases: Release[] = [];
  readonly #devices: Device[] = [];
  #plans = new Map<string, Plan<Release>>();
  #made = 1;

  constructor() {
    this.release();
  }

  get #current(): Release {
    const [current] = this.#releases;
    if (current === undefined) throw new Error('a channel without a release');
    return current;
  }

  get #signing(): Key {
    const [signing, ...others] = this.keys.filter(({ role }) => role === 'signing');
    if (signing === undefined || others.length > 0) throw new Error('not exactly one signing key');
    return signing;
  }

  /** Releases a build of the configured keys; a hop is signed with a previous key. */
  release(core = 0, previous?: Key): void {
    const { fingerprint } = this.#signing;
    const others = this.keys.filter(({ role }) => role === 'backup').map((key) => key.fingerprint);
    const keys = this.isGuarded ? [fingerprint, ...others] : [fingerprint];
    const signedBy = previous?.fingerprint ?? fingerprint;
    const guard = { keys, product: '0123456789abcdef', securityVersion: 0, require: 'signature' as const };
    const key = (value: string) => ({ ...keyNumber(0), fingerprint: value });
    const manifest: Manifest = {
      ...base,
      version: String(this.#made),
      enforcement: 'elf',
      embeddedKeys: keys,
      image: { ...base.image, core: cores[core % cores.length], guard: this.isGuarded ? guard : undefined },
      signing: { ...base.signing, publicKey: key(fingerprint), previousKey: previous && key(signedBy) },
      artifacts: signed.map((artifact): Artifact => ({ ...artifact, keyFingerprint: signedBy })),
    };
    this.#made += 1;
    if (previous !== undefined) this.hops += 1;
    this.#releases.unshift({ ...manifest, stored: { kind: 'sketch', board: 'd1', manifest } });
    this.#plans = new Map();
  }

  addDevice(isStraggler: boolean): void {
    this.#devices.push({ runs: this.#current, isStraggler });
  }

  addKey(): void {
    const used = this.keys.filter(({ role }) => role !== 'retired');
    // `keys add` rejects more keys than a guard can hold.
    if (used.length >= 8) return;
    const number = this.keys.length;
    this.keys = [...this.keys, { name: String(number), role: 'backup', fingerprint: keyNumber(number).fingerprint }];
  }

  /** Does what `keys activate` says: activates a backup key, and releases a hop from the previous key. */
  rotate(choice: number): void {
    const backups = this.keys.filter(({ role }) => role === 'backup');
    const chosen = backups[choice % backups.length];
    if (chosen === undefined) return;
    const previous = this.#signing;
    this.keys = withActivated(this.keys, chosen.name);
    this.release(choice, previous);
  }

  /** Retires a backup key: one that `keys status` shows as possible, or any, as after a key was stolen. */
  retire(choice: number): void {
    const backups = this.keys.filter(({ role }) => role === 'backup');
    const groups = this.#devices.map(({ runs }) => ({ keys: acceptedKeys(factsOfBuild(runs)), devices: 1 }));
    const holders = { groups, hops: [], unverified: 0, unknown: 0 };
    const isStolen = choice % 3 === 0;
    const chosen = isStolen
      ? backups[choice % backups.length]
      : backups.find((key) => keyUse(key, this.keys, holders).mayBeRetired);
    if (chosen !== undefined) this.keys = withRetired(this.keys, chosen.name);
  }

  /** A device requests an update. Returns a problem, or undefined. */
  #checkIn(device: Device, isLost: boolean): string | undefined {
    if (device.runs === this.#current) return undefined;
    const facts: DeviceFacts = { ...factsOfBuild(device.runs), kind: 'sketch', flashMode: base.image.flashMode };
    const decided = this.#plan(facts);
    if (decided.kind === 'blocked') return `${device.runs.version} is blocked: ${decided.blockedBy[0]?.message}`;
    const step = decided.kind === 'send' ? decided : decided.hops[0];
    if (step === undefined) throw new Error('a plan without a step');
    const holds = device.runs.image.guard?.keys ?? [device.runs.signing.publicKey?.fingerprint];
    if (!holds.includes(step.artifact.keyFingerprint ?? 'none')) {
      return `${device.runs.version} rejects ${step.release.version}`;
    }
    if (!isLost) device.runs = step.release;
    return undefined;
  }

  #plan(facts: DeviceFacts): Plan<Release> {
    const text = JSON.stringify(facts);
    const known = this.#plans.get(text);
    if (known !== undefined) return known;
    const [, ...before] = this.#releases;
    const hops = before.filter(({ signing }) => signing.previousKey !== undefined);
    const stored = ({ stored: one }: Release) => one;
    const chosen = intermediatesOf(before.slice(0, mostReleasesLookedAt).map(stored), hops.map(stored));
    const intermediateReleases = before.filter((release) => chosen.includes(release.stored));
    const made = plan({ facts, target: this.#current, intermediateReleases });
    this.#plans.set(text, made);
    return made;
  }

  checkIn(choice: number): string | undefined {
    const here = this.#devices.filter(({ isStraggler }) => !isStraggler);
    const device = here[choice % here.length];
    return device && this.#checkIn(device, choice % 4 === 0);
  }

  /** All devices, also the stragglers, request updates until they run the current release. */
  end(): string | undefined {
    for (const device of this.#devices) {
      for (let request = 0; device.runs !== this.#current; request += 1) {
        if (request > this.#releases.length) return `${device.runs.version} never reaches ${this.#current.version}`;
        const problem = this.#checkIn(device, false);
        if (problem !== undefined) return problem;
      }
    }
    return undefined;
  }
}

/** Runs a schedule. Returns the first problem: a device that no update reaches, or one that is sent what it rejects. */
function problemOf(events: readonly number[]): { readonly problem: string | undefined; readonly hops: number } {
  const schedule = new Schedule();
  for (const event of events) {
    const choice = Math.floor(event / 16);
    let problem: string | undefined;
    switch (event % 16) {
      case 0:
      case 1:
      case 2:
        schedule.release(choice);
        break;
      case 3:
        schedule.addKey();
        break;
      case 4:
      case 5:
        schedule.rotate(choice);
        break;
      case 6:
        schedule.retire(choice);
        break;
      case 7:
        schedule.isGuarded = choice % 3 !== 0;
        break;
      case 8:
      case 9:
        schedule.addDevice(choice % 2 === 0);
        break;
      default:
        problem = schedule.checkIn(choice);
    }
    if (problem !== undefined) return { problem, hops: schedule.hops };
  }
  return { problem: schedule.end(), hops: schedule.hops };
}

test('no schedule of rotations leaves a device without an acceptable update, or sends one that it rejects', (t) => {
  let rotated = 0;
  const schedules = fc.array(fc.nat(0xffff), { minLength: 5, maxLength: 80, size: 'max' });
  const property = fc.property(schedules, (events) => {
    const { problem, hops } = problemOf(events);
    if (hops > 1) rotated += 1;
    if (problem !== undefined) throw new Error(problem);
  });
  const runs = propertyRuns(2000, 1_000_000);
  fc.assert(property, runs);
  t.true(rotated > runs.numRuns / 4, `${rotated} schedules with several rotations`);
});
