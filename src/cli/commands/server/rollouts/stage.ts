import type { RolloutRequest } from '../../../../api/rollout.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import { percentOf } from '../../../shared/option-values.ts';

type Stage = NonNullable<RolloutRequest['stages']>[number];

/**
 * Collects --stage values. Each value is a comma-separated list of a percentage (`10`, `2.5%`), `canary=NAME` or `group=NAME`.
 *
 * @throws OtaError OPTION_INVALID
 */
export function stages(value: string, previous: Stage[] = []): Stage[] {
  const shares: number[] = [];
  const canaries: string[] = [];
  const groups: string[] = [];
  for (const part of value.split(',').map((each) => each.trim())) {
    const [, kind, name] = /^(canary|group)=(.+)$/.exec(part) ?? [];
    if (name !== undefined) (kind === 'canary' ? canaries : groups).push(name);
    else shares.push(shareOf(part, value));
  }
  if (shares.length > 1)
    throw invalidStage(value, 'must have at most one percentage', 'Pass --stage once for each stage.');
  return [...previous, { share: shares[0], canaries, groups }];
}

function shareOf(part: string, value: string): number {
  const share = percentOf(part);
  if (share !== undefined) return share;
  const expected = `${part === '' ? 'empty part' : `invalid part "${part}"`}; must be percentages, canary=NAME or group=NAME`;
  throw invalidStage(value, expected, 'Separate the parts of a stage with commas, such as --stage canary=front-door,5');
}

function invalidStage(value: string, expected: string, hint: string): OtaError {
  return new OtaError('OPTION_INVALID', { option: '--stage', value, expected, hint });
}
