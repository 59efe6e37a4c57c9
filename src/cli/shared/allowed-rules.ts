import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { isRuleId, type RuleId } from '../../core/preflight/registry.ts';

/** Parses an --allow value. Unknown rules are rejected, so that a typo is reported. */
export function allowedRule(value: string, previous: RuleId[] = []): RuleId[] {
  if (isRuleId(value)) return [...previous, value];
  throw new InvalidArgumentError('must be a preflight rule from docs/never-brick.md');
}

/** Rules whose errors are reported as warnings. */
export const allowOption = new Option(
  '--allow <rule>',
  'Preflight rule to report as a warning instead of an error (repeatable)',
)
  .argParser(allowedRule)
  .default<RuleId[]>([]);
