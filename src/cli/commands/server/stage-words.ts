import type { RolloutRequest } from '../../../api/rollout.ts';
import { OtaError } from '../../../errors/ota-error.ts';

type Stage = NonNullable<RolloutRequest['stages']>[number];

/**
 * Parses the value of --stage: parts joined by commas, each a share in percent (`10`, `2.5%`), `canary=NAME` or `group=NAME`.
 *
 * @throws OtaError USAGE
 */
export function readStage(text: string): Stage {
  let share: number | undefined;
  const canaries: string[] = [];
  const groups: string[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    const [, kind, name] = /^(canary|group)=(.+)$/.exec(part) ?? [];
    if (name !== undefined) (kind === 'canary' ? canaries : groups).push(name);
    else share = onlyShare(share, shareOf(part, text), text);
  }
  return { share, canaries, groups };
}

function onlyShare(before: number | undefined, share: number, text: string): number {
  if (before === undefined) return share;
  const hint = 'Use one --stage per stage, with at most one percentage each.';
  throw new OtaError('USAGE', { message: `--stage ${text} has two percentages`, hint });
}

function shareOf(part: string, text: string): number {
  const value = /^\d{1,3}(\.\d{1,4})?%?$/.test(part) ? Number.parseFloat(part) : Number.NaN;
  if (value >= 0 && value <= 100) return value;
  throw new OtaError('USAGE', {
    message: `--stage ${text}: ${part === '' ? 'empty part' : `invalid part "${part}"`}`,
    hint: 'Separate parts by commas; a part is a percentage from 0 to 100, canary=NAME or group=NAME: --stage canary=front-door,5',
  });
}
