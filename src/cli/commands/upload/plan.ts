import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import type { Release } from '../../../core/preflight/release.ts';
import type { ConfirmLevel } from '../../../delivery/confirm.ts';
import { discoveredFile } from '../../../delivery/discovered.ts';
import { Discovery } from '../../../delivery/discovery.ts';
import { type FoundTarget, findTargets } from '../../../delivery/find-targets.ts';
import type { Target } from '../../../delivery/inventory.ts';
import { Ledger } from '../../../delivery/ledger.ts';
import { networksOf } from '../../../delivery/mdns.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import { rulesToAllow } from '../../shared/allowed-rules.ts';
import { devicePasswords } from '../../shared/updates/device-passwords.ts';
import { confirmLevel, planUpdate, type UpdatePlan } from '../../shared/updates/plan-updates.ts';
import type { ReleaseToSend } from '../../shared/updates/release.ts';
import type { UploadOptions } from './options.ts';

/** Decisions made before the first transfer. */
export interface Updates {
  /** Path of the release to send. */
  readonly path: string;
  /** Paths of all releases. */
  readonly paths: ReadonlyMap<Release, string>;
  readonly devices: readonly PlannedDevice[];
  readonly ledger: Ledger;
  readonly discovery: Discovery | undefined;
  readonly confirm: ConfirmLevel | undefined;
}

interface PlannedDevice {
  readonly target: Target;
  readonly plan: UpdatePlan;
  /** IPv4 address of the device, if discovery found one. */
  readonly address: string | undefined;
  readonly password: string | undefined;
}

interface Preparation {
  readonly targets: readonly Target[];
  readonly release: ReleaseToSend;
  readonly intermediateReleases: readonly ReleaseToSend[];
  readonly facts: DeviceFacts;
  readonly settings: ProjectSettings;
  readonly options: UploadOptions;
  readonly io: Io;
  readonly report: Report;
}

/** Time limit for mDNS responses. Devices that respond do so within a fraction of a second. */
const discoveryMs = 3000;

/** Collects device facts and plans the artifacts for each device. Nothing is sent to the devices. */
export async function prepareUpdates(preparation: Preparation): Promise<Updates> {
  const { targets, release, intermediateReleases, facts, settings, options, io, report } = preparation;
  const releases = [release, ...intermediateReleases];
  const confirm = confirmLevel({
    confirm: options.confirm,
    configured: settings.config.upload?.confirm,
    hasCanaries: options.canary !== undefined,
    kind: release.kind,
  });
  const allow = rulesToAllow(
    options.allow,
    settings.config,
    releases.map((each) => each.release),
    report,
  );
  const speaker = options.passwordEnv === undefined ? 'project' : 'command-line';
  const passwords = await devicePasswords(targets, speaker, settings, io);
  const { ledger, damaged } = await Ledger.open(settings.folder);
  if (damaged !== undefined) report.warn(`${report.path(damaged.path)} is ignored: ${damaged.why}`);

  const unsure = targets.filter(({ name, host }) => isMdnsName(host) || ledger.entry(name) !== undefined);
  const needsMdns = confirm !== undefined || unsure.length > 0 || intermediateReleases.length > 0;
  const discovery = needsMdns ? await openDiscovery(targets, confirm, report) : undefined;
  const foundTargets = await findUnsure(unsure, discovery, settings, io);
  const planOptions = { release, intermediateReleases, facts, allow, ledger };
  const devices = targets.map((target): PlannedDevice => {
    const found = foundTargets.get(target);
    const entry = ledger.entry(target.name);
    if (entry !== undefined && entry.sketchMd5 !== found?.sketchMd5) {
      report.detail(
        `${target.name}: ignoring recorded facts, because the device does not announce the recorded sketch`,
      );
    }
    const plan = planUpdate(target, found, planOptions);
    return { target, plan, address: found?.address, password: passwords.get(target) };
  });
  const paths = new Map(releases.map((each) => [each.release, each.path]));
  return { path: release.path, paths, devices, ledger, discovery, confirm };
}

async function openDiscovery(
  targets: readonly Target[],
  confirm: ConfirmLevel | undefined,
  report: Report,
): Promise<Discovery | undefined> {
  const discovery = await Discovery.open({ interfaces: networksOf(targets) });
  if (discovery instanceof Discovery) return discovery;
  if (confirm === 'proven') {
    const hint = 'Pass --host-ip ADDRESS, allow UDP port 5353 in the firewall, or use --confirm returned.';
    throw new OtaError('DISCOVERY_UNAVAILABLE', { reason: discovery.unavailable, hint });
  }
  report.detail(`mDNS is unavailable: ${discovery.unavailable}`);
  return undefined;
}

async function findUnsure(
  unsure: readonly Target[],
  discovery: Discovery | undefined,
  { folder }: ProjectSettings,
  io: Io,
): Promise<ReadonlyMap<Target, FoundTarget>> {
  if (discovery === undefined || unsure.length === 0) return new Map();
  const discovered = await discoveredFile(folder).read();
  const stored = discovered.state === 'known' ? discovered.value.devices : [];
  return findTargets(unsure, { discovery, stored, limitMs: discoveryMs, signal: io.signal });
}

function isMdnsName(host: string): boolean {
  return /\.local\.?$/i.test(host);
}
