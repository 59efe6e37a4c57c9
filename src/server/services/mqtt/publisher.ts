import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../observability/log.ts';
import type { SeenDevice } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import { previewIn } from '../devices/preview.ts';
import { channelOf, requestInstall } from '../devices/request-install.ts';
import { theBroker } from '../events/domain-event.ts';
import type { DomainEvents, EventNotice } from '../events/domain-events.ts';
import type { ServiceParts } from '../parts.ts';
import type { ProjectView } from '../releases/project-view.ts';
import { deviceRolloutInfo } from '../rollouts/device-rollout-info.ts';
import { type Broker, type BrokerSettings, connectBroker } from './broker.ts';
import type { loadMqtt } from './load-mqtt.ts';
import * as messages from './messages.ts';
import { type DeviceKey, type Topics, topicsOf } from './topics.ts';

/** Settings of `serve --mqtt`. */
export interface MqttSettings extends BrokerSettings {
  /** True if clients of the broker may install releases on devices. */
  readonly mayInstall: boolean;
}

/** Dependencies of {@link MqttPublisher}. */
interface Needs extends Pick<ServiceParts, 'catalog' | 'records' | 'clock' | 'outage'> {
  readonly mqtt: Awaited<ReturnType<typeof loadMqtt>>;
  readonly settings: MqttSettings;
  readonly store: Pick<Store, 'identity' | 'catalog'>;
  readonly events: Pick<DomainEvents, 'follow'>;
  readonly log: Log;
}

const firstWaitMs = 1000;
const longestWaitMs = 60_000;
/** Interval at which changes are looked up whose events were lost. */
const pollMs = 1000;
const rescanMs = 60 * 60_000;
/**
 * Number of devices that are read and published at once. Up to two messages of each wait for the broker. Measured with 20,000 devices and
 * Debian's mosquitto, whose acknowledgments of a page wait 40 ms (Nagle's algorithm): pages of 10 took 100 s, pages of 100 and of 1,000 took
 * 8 s, but those of 1,000 delayed device requests by up to 0.7 s.
 */
const devicesAtOnce = 100;

/**
 * Publishes the devices and rollouts to an MQTT broker for Home Assistant. Only the leading process is connected. Each connection publishes
 * the full state, and then only the changes. Nothing waits for the broker except this class.
 */
export class MqttPublisher {
  readonly #needs: Needs;
  #isDown = false;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Connects and publishes until the signal aborts. */
  async lead(signal: AbortSignal): Promise<void> {
    let waitMs = firstWaitMs;
    while (!signal.aborted) {
      const reset = () => {
        waitMs = firstWaitMs;
      };
      await this.#connect(signal, reset).catch((error: unknown) => this.#report(error, signal));
      await pause(waitMs, signal);
      waitMs = Math.min(longestWaitMs, 2 * waitMs);
    }
  }

  /** @param onComplete called when the full state is published */
  async #connect(signal: AbortSignal, onComplete: () => void): Promise<void> {
    const { mqtt, settings, store, log } = this.#needs;
    const identity = await store.identity();
    if (identity === undefined) return;
    const topics = topicsOf(identity.id.slice(0, 8));
    const { availability } = topics;
    // A broker disconnects an earlier client with the same ID, so that two processes never publish at the same time.
    const session = { clientId: `ota-hooks-${identity.id.slice(0, 8)}`, will: offlineAt(availability) };
    const broker = await connectBroker(mqtt, settings, session);
    log.info({ broker: nameOf(settings) }, 'Connected to the MQTT broker');
    this.#isDown = false;
    // Closing the connection also ends the wait for messages that the broker does not acknowledge.
    let closed: Promise<void> | undefined;
    const close = () => {
      closed ??= broker.close(offlineAt(availability));
    };
    signal.addEventListener('abort', close);
    try {
      await new Publication(this.#needs, broker, topics).run(AbortSignal.any([signal, broker.lost]), onComplete);
    } finally {
      signal.removeEventListener('abort', close);
      close();
      await closed;
    }
    if (!signal.aborted) throw broker.lost.reason;
  }

  /** Logs the begin of an outage once. */
  #report(error: unknown, signal: AbortSignal): void {
    const { outage, log, settings } = this.#needs;
    if (signal.aborted || outage.note(error) || this.#isDown) return;
    this.#isDown = true;
    log.warn({ broker: nameOf(settings), reason: reasonOf(error) }, 'MQTT broker unavailable; trying again');
  }
}

/** Messages that a device's entity has. */
interface Published {
  readonly discovery: number;
  readonly state: number;
  /** Version that the entity offers to install. */
  readonly latest: string | undefined;
  /** Number of the scan that last found the device. */
  readonly scan: number;
}

/** Position of a scan of all devices of a project. */
interface Scan {
  readonly number: number;
  readonly after: string | undefined;
}

/** State of a project that determines the releases that its entities show. */
interface ProjectState {
  signature: string;
  /** Release notes by version, of the releases on all channels. */
  notes: ReadonlyMap<string, string>;
  scan: Scan | undefined;
  sensor: string | undefined;
  readonly devices: Map<string, Published>;
}

/** Messages of one connection. */
class Publication {
  readonly #needs: Needs;
  readonly #broker: Broker;
  readonly #topics: Topics;
  readonly #projects = new Map<string, ProjectState>();
  /** Devices that have changed. */
  readonly #changed = new DeviceSet();
  /** Devices on which a person wants to install the latest release. */
  readonly #requested = new DeviceSet();
  #scans = 0;
  #filtersToClean: readonly string[];
  /** True if there may be new work. */
  #isWoken = false;
  #wakeUp: () => void = () => undefined;

  constructor(needs: Needs, broker: Broker, topics: Topics) {
    this.#needs = needs;
    this.#broker = broker;
    this.#topics = topics;
    this.#filtersToClean = topics.discoveryFilters;
  }

  async run(signal: AbortSignal, onComplete: () => void): Promise<void> {
    const { events, settings, catalog, log, outage } = this.#needs;
    const unfollow = events.follow((notice) => this.#note(notice));
    try {
      await this.#updateProjects();
      await this.#broker.publish(this.#topics.availability, messages.online);
      if (settings.mayInstall) {
        await this.#broker.subscribe(this.#topics.commands, (topic, payload) => this.#receive(topic, payload));
      }
      let rescanAt = Date.now() + rescanMs;
      let isComplete = false;
      while (!signal.aborted) {
        try {
          this.#isWoken = false;
          await catalog.update();
          if (Date.now() >= rescanAt) {
            rescanAt = Date.now() + rescanMs;
            for (const state of this.#projects.values()) this.#scan(state);
          }
          await this.#updateProjects();
          if (await this.#step()) continue;
        } catch (error) {
          if (signal.aborted) return;
          if (!outage.note(error)) log.error({ err: error }, 'MQTT messages not published');
          for (const state of this.#projects.values()) this.#scan(state);
          await pause(pollMs, signal);
          continue;
        }
        if (!isComplete) onComplete();
        isComplete = true;
        await this.#changes(signal);
      }
    } finally {
      unfollow();
    }
  }

  /** Does the most urgent work. Returns false if there is none. */
  async #step(): Promise<boolean> {
    const requested = this.#requested.take(devicesAtOnce);
    if (requested.length > 0) {
      for (const device of requested) await this.#install(device);
      return true;
    }
    const changed = this.#changed.take(devicesAtOnce);
    if (changed.length > 0) {
      await Promise.all(changed.map((device) => this.#updateDevice(device)));
      return true;
    }
    for (const [project, state] of this.#projects) {
      if (state.scan === undefined) continue;
      await this.#scanNext(project, state, state.scan);
      return true;
    }
    return this.#cleanNext();
  }

  /** Publishes the sensors of projects that have changed, and starts scans where devices may be sent other releases. */
  async #updateProjects(): Promise<void> {
    for (const view of this.#needs.catalog.views()) {
      const { name } = view.project;
      const known = this.#projects.get(name);
      const state = known ?? {
        signature: '',
        notes: new Map(),
        scan: undefined,
        sensor: undefined,
        devices: new Map(),
      };
      if (known === undefined) {
        this.#projects.set(name, state);
        const { discovery } = this.#topics.ofProject(name);
        await this.#broker.publish(discovery, messages.projectDiscovery(name, this.#topics));
      }
      state.notes = await this.#needs.store.catalog.notes(name, offeredVersions(view));
      const signature = signatureOf(view, state.notes);
      if (signature !== state.signature) this.#scan(state);
      state.signature = signature;
      const sensor = messages.projectState(view.rollouts);
      if (sensor === state.sensor) continue;
      await this.#broker.publish(this.#topics.ofProject(name).state, sensor);
      state.sensor = sensor;
    }
  }

  #scan(state: ProjectState): void {
    state.scan = { number: ++this.#scans, after: undefined };
  }

  async #scanNext(project: string, state: ProjectState, { number, after }: Scan): Promise<void> {
    const { records, catalog } = this.#needs;
    const view = catalog.view(project);
    const found = await records.list(project, { after, limit: devicesAtOnce });
    if (view !== undefined) await Promise.all(found.map((device) => this.#publish(view, state, device, number)));
    // A change to the project may have started another scan.
    if (state.scan?.number !== number) return;
    const last = found.at(-1)?.record.mac;
    state.scan = last === undefined ? undefined : { number, after: last };
    if (last !== undefined) return;
    for (const [mac, { scan }] of state.devices) if (scan < number) this.#changed.add({ project, mac });
  }

  async #updateDevice({ project, mac }: DeviceKey): Promise<void> {
    const { records, catalog } = this.#needs;
    const [view, state] = [catalog.view(project), this.#projects.get(project)];
    if (view === undefined || state === undefined) return;
    const found = await records.show(project, mac);
    if (found !== undefined) return this.#publish(view, state, found, this.#scans);
    if (!state.devices.has(mac)) return;
    await this.#remove({ project, mac });
    state.devices.delete(mac);
  }

  /** Publishes the messages of a device that have changed. */
  async #publish(view: ProjectView, { devices, notes }: ProjectState, seen: SeenDevice, scan: number): Promise<void> {
    const { settings, clock } = this.#needs;
    const { record, report } = seen;
    const channel = channelOf(record);
    const { target } = await previewIn(view, seenWithRequest(view, seen, channel), { channel, now: clock.now() });
    const ofChannel = view.channels.get(channel)?.rollout?.rollout;
    const rollout = ofChannel && deviceRolloutInfo(ofChannel, record);
    const ofTarget = target && notes.get(target.version);
    const shown = { record, reportedVersion: report?.version, target, rollout, notes: ofTarget };
    const { discovery, state } = this.#topics.ofDevice(record);
    const config = messages.deviceDiscovery(shown, this.#topics, settings.mayInstall);
    const text = messages.deviceState(shown);
    const before = devices.get(record.mac);
    const next = {
      discovery: digestOf(config),
      state: digestOf(text),
      latest: messages.latestVersion(shown),
      scan,
    };
    // Home Assistant subscribes to the state when it discovers the entity, so the state is retained.
    if (before?.discovery !== next.discovery) await this.#broker.publish(discovery, config);
    if (before?.state !== next.state) await this.#broker.publish(state, text);
    devices.set(record.mac, next);
  }

  async #remove(device: DeviceKey): Promise<void> {
    const { discovery, state } = this.#topics.ofDevice(device);
    await this.#broker.publish(discovery, '');
    await this.#broker.publish(state, '');
  }

  /** Removes the entities of devices that were removed while no server was connected. Returns false if there is nothing to do. */
  async #cleanNext(): Promise<boolean> {
    const [filter, ...others] = this.#filtersToClean;
    if (filter === undefined) return false;
    for (const topic of await this.#broker.retained(filter)) {
      const device = this.#topics.deviceOfDiscovery(topic);
      if (device === undefined || this.#projects.get(device.project)?.devices.has(device.mac)) continue;
      await this.#remove(device);
    }
    this.#filtersToClean = others;
    return true;
  }

  #receive(topic: string, payload: string): void {
    const device = this.#topics.deviceOfCommand(topic);
    if (payload !== messages.installCommand || device === undefined) return;
    if (this.#projects.get(device.project)?.devices.has(device.mac) !== true) return;
    this.#requested.add(device);
    this.#wake();
  }

  /** Requests the release that the entity showed when the person installed it. */
  async #install(device: DeviceKey): Promise<void> {
    const { log } = this.#needs;
    const version = this.#projects.get(device.project)?.devices.get(device.mac)?.latest;
    if (version === undefined) return;
    const reason = await requestInstall(this.#needs, { ...device, version, by: theBroker });
    if (reason === undefined) log.info({ ...device, version }, 'Installation requested by MQTT');
    else log.warn({ ...device, version, reason }, 'Installation requested by MQTT rejected');
  }

  #note({ project, mac }: EventNotice): void {
    if (project !== undefined && mac !== undefined) this.#changed.add({ project, mac });
    this.#wake();
  }

  #wake(): void {
    this.#isWoken = true;
    this.#wakeUp();
  }

  /** Waits for a change, and at most for the time after which changes are looked up. */
  async #changes(signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    this.#wakeUp = () => waiting.abort();
    if (!this.#isWoken) await pause(pollMs, AbortSignal.any([signal, waiting.signal]));
  }
}

/** Devices in the order in which they were added. */
class DeviceSet {
  readonly #devices = new Map<string, DeviceKey>();

  add(device: DeviceKey): void {
    this.#devices.set(`${device.project} ${device.mac}`, device);
  }

  /** Removes up to `most` devices and returns them. */
  take(most: number): readonly DeviceKey[] {
    const taken: DeviceKey[] = [];
    for (const [key, device] of this.#devices) {
      if (taken.length === most) break;
      this.#devices.delete(key);
      taken.push(device);
    }
    return taken;
  }
}

/** Returns the device as if a person installed the release of an active rollout now, to find out which release that would be. */
function seenWithRequest(view: ProjectView, seen: SeenDevice, channel: string): SeenDevice {
  const version = view.channels.get(channel)?.rollout?.rollout.version;
  if (version === undefined) return seen;
  return { ...seen, record: { ...seen.record, install: { version, kinds: ['sketch'] } } };
}

/** Returns the versions that devices are sent on any channel. */
function offeredVersions({ channels }: ProjectView): readonly string[] {
  const versions = [...channels.values()].flatMap(({ current, rollout }) => [
    ...current.map(({ version }) => version),
    ...(rollout === undefined ? [] : [rollout.rollout.version]),
  ]);
  return [...new Set(versions)];
}

/**
 * Describes the releases and rollouts of all channels, and the release notes. If the result stays the same, so do the messages of devices that
 * do not change.
 */
function signatureOf({ channels }: ProjectView, notes: ReadonlyMap<string, string>): string {
  const offered = [...channels].map(([channel, { current, rollout }]) => {
    const { id, state, openStages } = rollout?.rollout ?? {};
    return [channel, current.map((release) => release.id), id, state, openStages];
  });
  return JSON.stringify([offered, [...notes]]);
}

/** Returns 48 bits of a digest: with 200,000 devices, the texts themselves would need 150 MB. */
function digestOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6);
}

function offlineAt(topic: string): { readonly topic: string; readonly payload: string } {
  return { topic, payload: messages.offline };
}

function nameOf({ host, port }: BrokerSettings): string {
  return `${host}:${port}`;
}

function reasonOf(error: unknown): string {
  // An attempt to connect to several addresses of a host has no message of its own.
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** Waits until the time is over or the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
