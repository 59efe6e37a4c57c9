import type { ReleaseFinding } from '../../../api/release-info.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import { checkRelease } from '../../../core/preflight/check-release.ts';
import { lockOutRules, securityVersionOf } from '../../../core/preflight/lock-outs.ts';
import { plan } from '../../../core/preflight/plan.ts';
import { rulesAllowedByProject } from '../../../core/preflight/project-rules.ts';
import { factsOfBuild } from '../../../core/preflight/running.ts';
import type { Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import { intermediatesOf, mostReleasesLookedAt } from './project-view.ts';

interface ReleaseToSend {
  readonly project: string;
  readonly channel: string;
  /** Images that the channel would send. */
  readonly manifests: readonly Manifest[];
  /** Names of rules that do not block the change. */
  readonly allow: readonly string[];
}

/** Recognized build, and the number of devices that run it. */
interface RunningBuild {
  readonly manifest: Manifest;
  readonly devices: number;
}

/**
 * Requires that every device whose build the server recognizes could still be updated, directly or through the hops of the channel. The
 * rules that `pack` applies to the last release are applied to each build that devices run.
 *
 * @throws DomainError blocked
 */
export async function requireNoLockOuts(
  { catalog, charts }: Pick<Store, 'catalog' | 'charts'>,
  { project, channel, manifests, allow }: ReleaseToSend,
): Promise<void> {
  const running = await runningBuilds({ catalog, charts }, project);
  if (running.length === 0) return;
  const before = await catalog.promotedBefore(project, channel, mostReleasesLookedAt);
  const hops = intermediatesOf(before, await catalog.hops(project, channel)).map(({ manifest }) => manifest);
  const found = new Map<string, { readonly finding: ReleaseFinding; readonly devices: number }>();
  for (const manifest of manifests) {
    const known = running.filter((build) => isForBoard(manifest, build.manifest));
    const highest = Math.max(...known.map((build) => securityVersionOf(build.manifest) ?? 0));
    for (const { manifest: build, devices } of known) {
      for (const finding of lockOuts(manifest, build, hops, highest)) {
        if (allow.includes(finding.rule)) continue;
        const first = found.get(finding.rule);
        found.set(finding.rule, { finding: first?.finding ?? finding, devices: (first?.devices ?? 0) + devices });
      }
    }
  }
  if (found.size > 0) throw lockedOut([...found.values()]);
}

/** Returns the findings of a release for the devices that run a build, if no hop leads them to the release. */
function lockOuts(
  target: Manifest,
  running: Manifest,
  hops: readonly Manifest[],
  highest: number,
): readonly ReleaseFinding[] {
  const { blockedBy } = checkRelease(target, { previous: running });
  const findings = blockedBy.filter((finding) => lockOutRules.some(({ id }) => id === finding.rule));
  if (findings.length === 0) return [];
  const isBlocked = !canBeUpdated(target, running, hops);
  const own = target.metadata?.securityVersion ?? 0;
  const goesUp = own > (securityVersionOf(running) ?? own);
  // A jump concerns the newest builds only: a device that was off for a long time skips several security versions.
  const isJump = ({ rule }: ReleaseFinding) => rule === 'lockout-security-version' && goesUp;
  return findings.filter((finding) => (isJump(finding) ? own > highest + 1 : isBlocked));
}

function canBeUpdated(target: Manifest, running: Manifest, hops: readonly Manifest[]): boolean {
  const facts = { ...factsOfBuild(running), kind: target.image.kind, flashMode: running.image.flashMode };
  const intermediateReleases = hops.filter(({ board }) => board === target.board);
  return plan({ facts, target, intermediateReleases, allowFor: rulesAllowedByProject }).kind !== 'blocked';
}

async function runningBuilds(
  { catalog, charts }: Pick<Store, 'catalog' | 'charts'>,
  project: string,
): Promise<readonly RunningBuild[]> {
  const devices = new Map<number, number>();
  for (const count of await charts.byBuild(project)) {
    if (count.releaseId === undefined) continue;
    devices.set(count.releaseId, (devices.get(count.releaseId) ?? 0) + count.devices);
  }
  const releases = await catalog.byIds([...devices.keys()]);
  return releases.map(({ id, manifest }) => ({ manifest, devices: devices.get(id) ?? 0 }));
}

function isForBoard({ board }: Manifest, running: Manifest): boolean {
  return board === undefined || running.board === undefined || board === running.board;
}

function lockedOut(found: readonly { readonly finding: ReleaseFinding; readonly devices: number }[]): DomainError {
  const blockedBy = found.map(({ finding: { rule, message, fix }, devices }) => {
    return { rule, message: `${counted(devices, 'device')} affected: ${message}`, fix };
  });
  const message = blockedBy.map((finding) => `${finding.message} (${finding.rule})`).join('; ');
  const rules = blockedBy.map(({ rule }) => `--allow ${rule}`).join(' ');
  const hint = `Fix: ${blockedBy.map(({ fix }) => fix).join('; ')}. To send the release anyway, pass ${rules} to \`publish\`, \`server releases promote\` or \`server rollouts start\`.`;
  return new DomainError('blocked', message, hint, { blockedBy });
}
