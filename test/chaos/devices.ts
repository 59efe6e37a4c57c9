import { setTimeout as pause } from 'node:timers/promises';
import { type DeviceWords, macOf } from '../../bench/server/device-request.ts';
import { type CheckInResult, checkIn } from './check-in.ts';
import { groupCount } from './fleet.ts';
import type { DeviceResponse } from './log.ts';

/** Facts about a build that devices report while they run it, and its artifacts. */
export interface RunnableBuild {
  readonly words: Omit<DeviceWords, 'mac'>;
  readonly md5s: readonly string[];
}

interface DeviceLoadOptions {
  readonly port: number;
  readonly devices: number;
  readonly requestsPerSecond: number;
  /** Builds of all projects by version. Versions are unique among the projects. */
  readonly builds: ReadonlyMap<string, RunnableBuild>;
  /** Version that all devices run at first. */
  readonly initial: string;
  readonly random: () => number;
}

/** Share of devices that never install an update, and of downloads that break off. */
const brokenShare = 0.15;
const breakOffShare = 0.05;
/** Requests that a device sends at the same time as its own first one, as a restarting device may. */
const twinShare = 0.3;
/** Share of the requests from devices that can be sent a release now. */
const eligibleShare = 0.012;

/** Devices that check for updates at random, and install what they are sent. */
export class DeviceLoad {
  readonly responses: DeviceResponse[] = [];
  readonly #options: DeviceLoadOptions;
  /** Version of each device that does not run the initial version. */
  readonly #runs = new Map<string, string>();
  readonly #pending = new Set<Promise<void>>();
  #group = 0;
  #next = 0;
  #isStopped = false;

  constructor(options: DeviceLoadOptions) {
    this.#options = options;
  }

  /** Chooses the group of the next eligible devices. */
  openGroup(group: number): void {
    this.#group = group;
    this.#next = 0;
  }

  /** Sends requests until `stop`. */
  async run(): Promise<void> {
    const { requestsPerSecond, devices, random } = this.#options;
    const startedAt = Date.now();
    for (let sent = 0; !this.#isStopped; ) {
      const due = ((Date.now() - startedAt) / 1000) * requestsPerSecond;
      for (; sent < due; sent++) {
        if (random() < eligibleShare) this.sendEligible();
        else this.#track(this.#visit('door', macOf(Math.floor(random() * devices))));
      }
      await pause(5);
    }
  }

  /** Sends requests of devices that can be sent the release of the current rollout, at random moments within `spreadMs`. */
  burst(count: number, spreadMs: number): void {
    for (let index = 0; index < count; index++) {
      const delay = this.#options.random() * spreadMs;
      this.#track(pause(delay).then(() => this.sendEligible()));
    }
  }

  sendEligible(): void {
    const mac = this.#nextInGroup();
    this.#track(this.#visit('door', mac));
    if (this.#options.random() < twinShare) this.#track(this.#visit('door', mac));
  }

  /** A check-in of a device of another project. */
  visitOther(project: string, mac: string, initial: string): void {
    if (!this.#runs.has(mac)) this.#runs.set(mac, initial);
    this.#track(this.#visit(project, mac));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #nextInGroup(): string {
    const { devices } = this.#options;
    const index = this.#group + groupCount * (this.#next++ % Math.floor(devices / groupCount));
    return macOf(index);
  }

  #track(work: Promise<void>): void {
    this.#pending.add(work);
    work.finally(() => this.#pending.delete(work));
  }

  /** One check-in. A device that installed an update checks in again; a broken device checks in again with its old version. */
  async #visit(project: string, mac: string, visits = 0): Promise<void> {
    const { port, builds, initial, random } = this.#options;
    const runs = this.#runs.get(mac) ?? initial;
    const words = { mac, ...builds.get(runs)?.words } as DeviceWords;
    const breaksOff = random() < breakOffShare;
    const result = await checkIn(port, `/update/${project}`, words, breaksOff);
    const response = responseOf(result, { project, mac, runs, builds });
    this.responses.push(response);
    if (result.status !== 200 || this.#isStopped) return;
    const version = result.headers.get('x-version');
    const isInstalled = result.bodyMd5 !== undefined && version !== undefined && !this.#isBroken(mac);
    if (isInstalled) this.#runs.set(mac, version);
    await pause(300 + random() * 1500);
    if (visits < 6 && !this.#isStopped) await this.#visit(project, mac, visits + 1);
  }

  #isBroken(mac: string): boolean {
    const digits = Number.parseInt(mac.slice(-5).replace(':', ''), 16);
    return ((digits * 2654435761) % 2 ** 32) / 2 ** 32 < brokenShare;
  }
}

interface Visitor {
  readonly project: string;
  readonly mac: string;
  readonly runs: string;
  readonly builds: ReadonlyMap<string, RunnableBuild>;
}

function responseOf(result: CheckInResult, { project, mac, runs, builds }: Visitor): DeviceResponse {
  const { startedAt, endedAt, status, headers, bodyMd5 } = result;
  const version = headers.get('x-version');
  const download = {
    version,
    statedMd5: headers.get('x-md5'),
    publishedMd5s: builds.get(version ?? '')?.md5s ?? [],
    receivedMd5: bodyMd5,
  };
  return {
    ...{ project, mac, runs, startedAt, endedAt, status },
    server: headers.get('x-served-by'),
    hasRetryAfter: headers.has('retry-after'),
    ...(status === 200 && { download }),
  };
}
