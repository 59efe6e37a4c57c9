import type { ImageKind } from '../../../core/model/artifact.ts';
import { fixText, type ServedDevice } from '../../../core/preflight/fix-text.ts';
import type { DeviceRecord, ReportSource, RolloutExclusion } from '../../storage/records.ts';
import type { RolloutView } from '../rollouts/admission.ts';
import { isUnderWay } from '../rollouts/step.ts';
import { releaseFor } from './release-for.ts';
import { boardOf, boardOfBuild, type Running } from './running.ts';

const kinds: readonly ImageKind[] = ['sketch', 'filesystem'];

/** Device that makes a request. */
interface Requester {
  readonly record: DeviceRecord;
  readonly running: Running;
  readonly from: ReportSource;
}

/**
 * Returns the board that a device has shown: the board of the first build that was recognized, or of the last one in a request with
 * credentials.
 */
export function shownBoard({ record, running, from }: Requester): string | undefined {
  const { shownBoard: before } = record;
  if (before !== undefined && !from.authenticated) return before;
  return boardOfBuild(running) ?? before;
}

/**
 * Returns why a rollout has no image for a device: its board is unknown, or the rollout has no image for the board. Returns undefined if the
 * rollout has an image for the device, or if it has ended.
 *
 * @param shown board that the device has shown, which includes the current request
 */
export function exclusionFrom(
  view: RolloutView | undefined,
  device: Requester,
  shown: string | undefined,
): RolloutExclusion | undefined {
  if (view === undefined || view.releases.length === 0 || !isUnderWay(view.rollout)) return undefined;
  const { record, running, from } = device;
  const board = boardOf(running, record);
  const ofKind = (kind: ImageKind) => view.releases.filter((release) => release.kind === kind);
  if (kinds.some((kind) => releaseFor(ofKind(kind), board) !== undefined)) return undefined;
  const { version } = view.rollout;
  const boards = [...new Set(view.releases.map((release) => release.board))].sort().join(', ');
  // A report that contradicts the earlier reports of the device may be forged.
  const isProven = from.authenticated || record.board !== undefined || board === shown;
  const common = { version, setBoard: record.board, isProven };
  const known = board === undefined ? 'the board of this device is unknown' : `this device is a ${board}`;
  const text = `${version} has images for ${boards}; ${known}.`;
  return { ...common, code: board === undefined ? 'board-unknown' : 'no-image', text };
}

/** Describes what to do about an exclusion. */
export function exclusionFix({ code, version }: RolloutExclusion, device: ServedDevice): string {
  const setBoard = boardFix(device);
  if (code === 'board-unknown') return setBoard;
  return `publish ${version} for this board, and start a new rollout; if the board is wrong, ${setBoard}`;
}

/** Describes how to set the board of a device. */
export function boardFix(device: ServedDevice): string {
  return fixText([{ action: 'specify', facts: ['board'], options: [] }], device);
}
