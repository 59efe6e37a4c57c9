import { InvalidArgumentError } from '@commander-js/extra-typings';
import { isRuleId, type RuleId } from '../../core/preflight/registry.ts';

/** For --allow: a name that no rule has is refused, since a typo must not pass for a permission. */
export function allowedRule(value: string, previous: RuleId[] = []): RuleId[] {
  if (isRuleId(value)) return [...previous, value];
  throw new InvalidArgumentError('there is no such rule; docs/never-brick.md lists them all');
}
