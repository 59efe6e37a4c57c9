import { type DiscoveredDevice, Discovery } from '../../../delivery/discovery.ts';
import type { Target } from '../../../delivery/inventory.ts';
import { Ledger } from '../../../delivery/ledger.ts';
import { isSameBoard, selectDevice } from '../../../delivery/select-device.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Bell } from '../../../server/http/dashboard/bell.ts';
import type { Io } from '../../io.ts';
import { knownError } from '../../known-error.ts';
import type { Report } from '../../output/report.ts';
import { rulesToAllow } from '../../shared/allowed-rules.ts';
import { requireNewName, writeEntry } from '../../shared/inventory-entry.ts';
import { rememberRelease } from '../../shared/previous-release.ts';
import { confirmLevel, planUpdate } from '../../shared/updates/plan-updates.ts';
import { attemptText, phaseText, sentShare } from '../../shared/updates/progress-text.ts';
import { loadTasks, needsFixedPort, type SendableDevice, updateAll } from '../../shared/updates/update-all.ts';
import { timingsOf, type UpdateContext, type UpdateTask } from '../../shared/updates/update-one.ts';
import { buildForDevice } from './build-for-device.ts';
import {
  type DeviceState,
  deviceStatusOf,
  type Readiness,
  readinessOf,
  runningText,
  type UpdateState,
} from './device-state.ts';
import type { ProjectState } from './project-state.ts';
import { SessionPasswords } from './session-passwords.ts';
import { Sightings, type UnlistedDevice } from './sightings.ts';

interface FleetParts {
  readonly readProject: () => Promise<ProjectState>;
  /** Discovery, or the reason why this machine cannot use mDNS. */
  readonly discovery: Discovery | { readonly unavailable: string };
  readonly io: Io;
  readonly report: Report;
}

/** Everything that the page shows about the project and its devices. */
export interface LocalFleetView {
  readonly project: ProjectState;
  readonly devices: readonly DeviceState[];
  /** Names of the devices for which the user must enter a password. */
  readonly locked: readonly string[];
  readonly unlisted: readonly UnlistedDevice[];
  /** The reason why this machine cannot use mDNS. */
  readonly mdnsProblem: string | undefined;
}

/** Device to add to the inventory. */
export interface NewDevice {
  /** Host name that the device announces. */
  readonly host: string;
  readonly name: string;
  readonly board: string;
  /** True if the user confirmed that the announced board and `board` are the same board. */
  readonly isSameBoard: boolean;
}

/** Devices of the inventory and on the network, and their updates. Plans, passwords and transfers are those of `upload`. */
export class LocalFleet {
  readonly #parts: FleetParts;
  readonly #discovery: Discovery | undefined;
  readonly #sightings: Sightings;
  readonly #passwords = new SessionPasswords();
  readonly #updates = new Map<string, UpdateState>();
  readonly #followers = new Set<Bell>();
  readonly #runs = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  /** End of the last run that uses the fixed port of this machine. */
  #portFree: Promise<void> = Promise.resolve();
  /** End of the last change of the ledger. Changes run in sequence, because each one writes the whole file. */
  #ledgerWritten: Promise<unknown> = Promise.resolve();

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#discovery = parts.discovery instanceof Discovery ? parts.discovery : undefined;
    this.#sightings = new Sightings(this.#discovery, () => this.#changed());
    this.#signal = AbortSignal.any([parts.io.signal, this.#closing.signal]);
  }

  /** Rings a bell after each change, until the returned function is called. */
  follow(bell: Bell): () => void {
    this.#followers.add(bell);
    if (this.#closing.signal.aborted) bell.end();
    return () => this.#followers.delete(bell);
  }

  seenDevices(): readonly DiscoveredDevice[] {
    return this.#sightings.devices();
  }

  /**
   * Reads the project and plans an update for each device. Nothing is sent.
   *
   * @throws OtaError errors of the configuration and of state files
   */
  async view(): Promise<LocalFleetView> {
    const { discovery } = this.#parts;
    const project = await this.#parts.readProject();
    const devices = project.targets.map((target) => this.#stateOf(target, project));
    return {
      project,
      devices,
      locked: await this.#lockedOf(devices, project),
      unlisted: this.#sightings.unlisted(project.targets),
      mdnsProblem: discovery instanceof Discovery ? undefined : discovery.unavailable,
    };
  }

  enterPassword(password: string, devices: readonly string[]): void {
    this.#passwords.enter(password, devices);
  }

  /**
   * Starts to update devices. Devices that are blocked or already being updated are skipped.
   *
   * @param names devices of the inventory
   * @param canaries number of devices to update first
   * @returns the devices whose password is missing; nothing is sent if there are any
   * @throws OtaError ARTIFACT_CHANGED, FILE_NOT_FOUND, DISCOVERY_UNAVAILABLE, and errors of the configuration and of its secrets
   */
  async update(names: readonly string[], canaries: number): Promise<readonly string[]> {
    const free = names.filter((name) => this.#updates.get(name)?.kind !== 'active');
    const before = new Map(free.map((name) => [name, this.#updates.get(name)]));
    // Reserved before the first pause, so that a second request cannot start the same update.
    for (const name of free) this.#updates.set(name, { kind: 'active', text: 'checking the update' });
    const release = () => {
      for (const [name, state] of before) {
        if (state === undefined) this.#updates.delete(name);
        else this.#updates.set(name, state);
      }
      this.#changed();
    };
    try {
      const prepared = await this.#prepare(free, canaries);
      if ('locked' in prepared) {
        release();
        return prepared.locked;
      }
      release();
      this.#start(prepared, canaries);
      return [];
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Adds a discovered device to the configuration.
   *
   * @throws OtaError DEVICE_NOT_ADDED, and errors of the configuration
   */
  async add({ host, name, board, isSameBoard: isConfirmed }: NewDevice): Promise<void> {
    const { settings, targets } = await this.#parts.readProject();
    const services = this.#sightings.unlisted(targets).find((device) => device.host === host)?.services ?? [];
    const refused = (reason: string, hint: string) => new OtaError('DEVICE_NOT_ADDED', { name, reason, hint });
    const text = /^[a-z0-9][\w.-]{0,63}$/i;
    const allowed = 'Use letters, digits, dots, dashes and underscores, at most 64, and begin with a letter or digit.';
    if (!text.test(name)) throw refused('the name is not valid', allowed);
    if (!text.test(board)) throw refused('the board is not valid', allowed);
    requireNewName(name, settings);
    const announced = services.map((device) => device.board).find((each) => each !== undefined);
    if (announced !== undefined && !isConfirmed && !isSameBoard(board, announced)) {
      const hint = 'Enter the board of the device, or confirm that both names refer to the same board.';
      throw refused(`the device announces board ${announced}, not ${board}`, hint);
    }
    const selection = selectDevice({ name, host, projectBoard: board, announcedBoard: announced }, services);
    if ('reason' in selection) throw refused('the device no longer responds', 'Check that the device is online.');
    await writeEntry(name, { ...selection.entry, board }, settings);
    this.#changed();
  }

  /** Ends all updates and stops to listen for devices. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const bell of this.#followers) bell.end();
    await Promise.all(this.#runs);
    this.#discovery?.close();
  }

  #stateOf(target: Target, project: ProjectState): DeviceState {
    const { builds, ledger, stored } = project;
    const seen = this.#sightings.of(target, stored);
    const update = this.#updates.get(target.name);
    const readiness = this.#readinessOf(target, project);
    const observation = { seen, entry: ledger.entry(target.name), builds, update };
    return {
      target,
      seen,
      running: runningText(observation),
      readiness,
      update,
      status: deviceStatusOf(readiness, observation),
    };
  }

  #readinessOf(target: Target, { settings, builds, buildProblem, ledger, stored }: ProjectState): Readiness {
    const chosen = buildForDevice(target.facts.board, builds);
    if ('reason' in chosen) {
      const isMissing = builds.length === 0 && buildProblem !== undefined && target.facts.board !== undefined;
      const reason = isMissing ? { reason: buildProblem.message, fix: buildProblem.hint } : chosen;
      return { kind: 'blocked', reasons: [reason] };
    }
    const { build } = chosen;
    // Allowed rules are shown as warnings of the device.
    const allow = rulesToAllow([], settings.config, [build.release], { warn: () => undefined });
    const plan = planUpdate(target, this.#sightings.of(target, stored), {
      release: build,
      intermediateReleases: [],
      facts: {},
      allow,
      ledger,
    });
    return readinessOf(plan, build);
  }

  /** A password that cannot be read is reported when the update starts. */
  async #lockedOf(devices: readonly DeviceState[], project: ProjectState): Promise<readonly string[]> {
    const locked: string[] = [];
    for (const device of devices) {
      const password = await this.#passwordOf(device, project).catch(() => undefined);
      if (device.readiness.kind === 'ready' && password === 'asked') locked.push(device.target.name);
    }
    return locked;
  }

  #passwordOf({ target, seen }: DeviceState, { settings }: ProjectState) {
    return this.#passwords.of(target, seen.requiresPassword, settings, this.#parts.io);
  }

  async #prepare(
    names: readonly string[],
    canaries: number,
  ): Promise<Prepared | { readonly locked: readonly string[] }> {
    const { project, devices } = await this.view();
    const sendable: SendableDevice[] = [];
    const locked: string[] = [];
    for (const device of devices) {
      const { target, readiness, seen } = device;
      if (readiness.kind !== 'ready' || !names.includes(target.name)) continue;
      const password = await this.#passwordOf(device, project);
      if (password === 'asked') locked.push(target.name);
      else sendable.push({ target, plan: readiness.plan, address: seen.address, password: password.password });
    }
    if (locked.length > 0) return { locked };
    const { upload } = project.settings.config;
    const confirm = confirmLevel({
      configured: upload?.confirm ?? 'returned',
      hasCanaries: canaries > 0,
      kind: project.builds[0]?.kind ?? 'sketch',
    });
    const { discovery } = this.#parts;
    if (confirm === 'proven' && !(discovery instanceof Discovery)) {
      const hint =
        'Set "hostIp" in the configuration, allow UDP port 5353 in the firewall, or set "confirm" to "returned".';
      throw new OtaError('DISCOVERY_UNAVAILABLE', { reason: discovery.unavailable, hint });
    }
    return { project, tasks: await loadTasks(sendable), confirm };
  }

  #start(prepared: Prepared, canaries: number): void {
    const { tasks } = prepared;
    for (const { target } of tasks) this.#set(target.name, { kind: 'active', text: 'waiting' });
    const isPortFixed = tasks.some(({ target }) => needsFixedPort(target));
    const run = (isPortFixed ? this.#portFree : Promise.resolve()).then(() => this.#run(prepared, canaries));
    if (isPortFixed) this.#portFree = run;
    this.#runs.add(run);
    void run.then(() => this.#runs.delete(run));
  }

  /** Runs updates to their end. Errors become the result of the devices that they concern. */
  async #run({ project, tasks, confirm }: Prepared, canaries: number): Promise<void> {
    const { upload } = project.settings.config;
    const notUpdated = (outcome: 'failed' | 'not started', text: string, hint?: string) => {
      for (const task of tasks) {
        if (this.#updates.get(task.target.name)?.kind !== 'active') continue;
        this.#end(task, outcome, text, hint);
      }
    };
    try {
      await updateAll({
        tasks,
        canaries,
        concurrency: upload?.concurrency,
        context: this.#context(project, tasks, confirm),
      });
      notUpdated(
        'not started',
        'not started, because the update of another device failed first',
        'Fix that device, or update this one by itself.',
      );
      const sent = tasks
        .filter(({ target }) => this.#isUpdated(target.name))
        .map(({ steps }) => steps.at(-1)?.from.manifest);
      for (const manifest of new Set(sent)) {
        if (manifest === undefined) continue;
        await rememberRelease(manifest, project.settings, this.#parts.report, { mayLower: false });
      }
    } catch (error) {
      if (this.#signal.aborted) return;
      const known = knownError(error);
      if (known === undefined) throw error;
      notUpdated('failed', known.message, known.hint);
    }
  }

  #isUpdated(device: string): boolean {
    const state = this.#updates.get(device);
    return state?.kind === 'ended' && state.outcome === 'updated';
  }

  #context({ settings }: ProjectState, tasks: readonly UpdateTask[], confirm: Prepared['confirm']): UpdateContext {
    const { report } = this.#parts;
    const taskOf = (device: string) => tasks.find(({ target }) => target.name === device);
    return {
      ledger: { prove: (device, proof) => this.#prove(settings.folder, device, proof) },
      discovery: this.#discovery,
      confirm,
      timings: timingsOf({ attempts: settings.config.upload?.attempts }),
      view: {
        begin: (device, what) => {
          this.#set(device, { kind: 'active', text: what });
          report.say(`${device}  ${what}`);
        },
        step: (device, step) => {
          const isSending = step.phase === 'sending';
          const text = step.phase === 'sending' ? 'sending' : phaseText(step.phase);
          this.#set(device, {
            kind: 'active',
            text: text + attemptText(step),
            share: isSending ? sentShare(step) : undefined,
          });
        },
        end: (device, words, hint, { verdict, isSuccess }) => {
          const isPassword = verdict.kind === 'rejected' && verdict.by === 'password';
          if (isPassword) this.#passwords.reject(device);
          const task = taskOf(device);
          if (task === undefined) return;
          const ownHint = isPassword ? 'Press Update to enter the password again.' : hint;
          this.#end(task, isSuccess ? 'updated' : 'failed', words, ownHint);
        },
      },
      warn: (line) => report.warn(line),
      signal: this.#signal,
    };
  }

  #end(
    { target, steps }: UpdateTask,
    outcome: 'updated' | 'failed' | 'not started',
    text: string,
    hint?: string,
  ): void {
    const { name } = target;
    const imageSha256 = steps.at(-1)?.from.imageSha256 ?? '';
    this.#set(name, { kind: 'ended', outcome, text, hint, imageSha256 });
    const event = { event: 'ended', device: name, outcome, message: text, hint: hint ?? null } as const;
    this.#parts.report.event('ui', event, [`${name}  ${text}`, ...(hint === undefined ? [] : [`  ${hint}`])]);
  }

  #prove(folder: string, ...[device, proof]: Parameters<Ledger['prove']>): ReturnType<Ledger['prove']> {
    const written = this.#ledgerWritten
      .catch(() => undefined)
      .then(async () => (await Ledger.open(folder)).ledger.prove(device, proof));
    this.#ledgerWritten = written;
    return written;
  }

  #set(device: string, state: UpdateState): void {
    this.#updates.set(device, state);
    this.#changed();
  }

  #changed(): void {
    for (const bell of this.#followers) bell.ring();
  }
}

interface Prepared {
  readonly project: ProjectState;
  readonly tasks: readonly UpdateTask[];
  readonly confirm: UpdateContext['confirm'];
}
