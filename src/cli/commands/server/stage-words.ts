import type { RolloutRequest } from '../../../api/rollout.ts';
import { OtaError } from '../../../errors/ota-error.ts';

type Stage = NonNullable<RolloutRequest['stages']>[number];

/**
 * Reads a stage as it is written on the command line: parts joined by commas, each a share in percent (`10`, `2.5%`), `canary=NAME` or
 * `group=NAME`.
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
  const hint = 'Write --stage once for each stage, with one share each.';
  throw new OtaError('USAGE', { message: `--stage ${text} has two shares`, hint });
}

function shareOf(part: string, text: string): number {
  const value = /^\d{1,3}(\.\d{1,4})?%?$/.test(part) ? Number.parseFloat(part) : Number.NaN;
  if (value >= 0 && value <= 100) return value;
  throw new OtaError('USAGE', {
    message: `--stage ${text}: ${part === '' ? 'nothing' : part} is no stage`,
    hint: 'Write a share in percent, canary=NAME or group=NAME, joined by commas: --stage canary=front-door,5',
  });
}
