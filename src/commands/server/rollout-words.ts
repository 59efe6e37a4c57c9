import type { RolloutRequest } from '../../domain/rollout.ts';
import { OtaError } from '../../errors.ts';

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
    else share = shareOf(part, text);
  }
  return { share, canaries, groups };
}

function shareOf(part: string, text: string): number {
  const value = /^\d{1,3}(\.\d{1,4})?%?$/.test(part) ? Number.parseFloat(part) : Number.NaN;
  if (value >= 0 && value <= 100) return value;
  throw new OtaError('USAGE', {
    message: `--stage ${text}: ${part === '' ? 'nothing' : part} is no stage`,
    hint: 'Write a share in percent, canary=NAME or group=NAME, joined by commas: --stage canary=front-door,5',
  });
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * @returns milliseconds
 * @throws OtaError USAGE
 */
export function durationMs(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit = 's'] = /^(\d{1,6})([smhd])?$/.exec(text) ?? [];
  // The pattern names the units.
  if (digits !== undefined) return Number(digits) * unitMs[unit as keyof typeof unitMs];
  throw new OtaError('USAGE', { message: `${option} ${text} is not a time`, hint: 'Such as 90s, 10m, 2h or 1d.' });
}
