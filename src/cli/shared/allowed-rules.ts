import { InvalidArgumentError } from '@commander-js/extra-typings';
import { isRuleId, type RuleId } from '../../core/preflight/registry.ts';

/** Parses a value of --allow. Rejects an unknown rule, so that a typo does not look like a permission. */
export function allowedRule(value: string, previous: RuleId[] = []): RuleId[] {
  if (isRuleId(value)) return [...previous, value];
  throw new InvalidArgumentError('there is no such rule; docs/never-brick.md lists them all');
}
