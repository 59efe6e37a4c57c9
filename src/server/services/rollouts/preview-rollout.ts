import { setImmediate } from 'node:timers/promises';
import type { RolloutStage } from '../../../api/rollout.ts';
import type { SeenDevice } from '../../storage/records.ts';
import type { Decision } from '../devices/decide.ts';
import { previewIn } from '../devices/preview.ts';
import type { ServiceParts } from '../parts.ts';
import type { ProjectView } from '../releases/project-view.ts';
import { isMember } from './progress.ts';
import { requireFreeChannel } from './rollouts.ts';
import { stageOf } from './stage.ts';
import { prepareRollout, type StartInput } from './start.ts';

/** Enrolled devices of one stage, without those of earlier stages. */
interface StagePreview {
  /** Stage with canaries as MACs. */
  readonly stage: RolloutStage;
  readonly devices: number;
  /** Devices that would be sent the release now. */
  readonly ready: number;
  /** Devices that run the release already. */
  readonly running: number;
  /** Devices that cannot take the release now. */
  readonly blocked: number;
  /** Devices that have never checked in, so nothing is known about them. */
  readonly unseen: number;
}

/** Reason why devices cannot take a release, with the first of these devices. */
export interface PreviewReason {
  /** Reason of the first device. Sizes may differ between the devices. */
  readonly text: string;
  /** Preflight rules that block the devices. */
  readonly rules: readonly string[];
  readonly devices: number;
  readonly examples: readonly { readonly mac: string; readonly name: string | undefined }[];
}

export interface RolloutPreview {
  readonly stages: readonly StagePreview[];
  /** Reasons, the most frequent first. */
  readonly reasons: readonly PreviewReason[];
}

const readAtOnce = 1000;
const mostExamples = 5;

type Counts = { -readonly [Name in Exclude<keyof StagePreview, 'stage'>]: number };

/**
 * Finds out what a rollout would do, without starting it: the checks are those of the start, the stages are those of the rollout, and the
 * decisions are those of the next update checks as if all stages were open.
 *
 * @throws DomainError the errors of `Rollouts.start`
 */
export async function previewRollout(
  { store, catalog }: Pick<ServiceParts, 'store' | 'catalog'>,
  question: StartInput,
): Promise<RolloutPreview> {
  const { project, request, now } = question;
  const view = await catalog.latest(project);
  requireFreeChannel(view, request.channel);
  const rollout = await prepareRollout(store, question);
  const open = view && (await withOpenStages(store, view, rollout));
  const counts = rollout.stages.map((): Counts => ({ devices: 0, ready: 0, running: 0, blocked: 0, unseen: 0 }));
  const reasons = new Map<string, PreviewReason>();

  async function count(seen: SeenDevice): Promise<void> {
    const { record } = seen;
    const ofStage = counts[stageOf(rollout, record)];
    if (ofStage === undefined || open === undefined) return;
    ofStage.devices++;
    if (seen.report === undefined) {
      ofStage.unseen++;
      return;
    }
    const decision = await previewIn(open, seen, { channel: rollout.channel, now });
    if (decision.action === 'send') ofStage.ready++;
    else if (decision.action === 'up-to-date') ofStage.running++;
    else {
      ofStage.blocked++;
      addReason(reasons, decision, seen);
    }
  }

  for (let after: string | undefined; ; ) {
    const page = await store.devices.list(project, { after, limit: readAtOnce });
    for (const seen of page) if (isMember(rollout, seen.record)) await count(seen);
    after = page.at(-1)?.record.mac;
    if (page.length < readAtOnce) break;
    // Devices are served between two pages.
    await setImmediate();
  }
  return {
    stages: rollout.stages.map((stage, index) => ({
      ...{ devices: 0, ready: 0, running: 0, blocked: 0, unseen: 0, ...counts[index] },
      stage,
    })),
    reasons: [...reasons.values()].sort((a, b) => b.devices - a.devices),
  };
}

/** Returns the view in which the release of the rollout is current. */
async function withOpenStages(
  { catalog }: Pick<ServiceParts['store'], 'catalog'>,
  view: ProjectView,
  { channel, releaseIds }: { readonly channel: string; readonly releaseIds: readonly number[] },
): Promise<ProjectView> {
  const current = await catalog.byIds(releaseIds);
  const intermediateReleases = view.channels.get(channel)?.intermediateReleases ?? [];
  return { ...view, channels: new Map([[channel, { current, intermediateReleases }]]) };
}

function addReason(
  reasons: Map<string, PreviewReason>,
  decision: Extract<Decision, { action: 'none' }>,
  { record: { mac, name } }: SeenDevice,
): void {
  const { code, rules, text } = decision;
  const key = [code, ...rules].join(' ');
  const known = reasons.get(key) ?? { text, rules, devices: 0, examples: [] };
  const examples = known.examples.length < mostExamples ? [...known.examples, { mac, name }] : known.examples;
  reasons.set(key, { ...known, devices: known.devices + 1, examples });
}
