import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { type LockOutRule, lockOutRuleNames } from '../../api/release.ts';
import type { RuleAllowance } from '../../core/model/manifest.ts';
import { projectRules, rulesAllowedByProject } from '../../core/preflight/project-rules.ts';
import { isRuleId, type RuleId } from '../../core/preflight/registry.ts';
import type { Release } from '../../core/preflight/release.ts';
import type { Config } from '../../project/config/schema.ts';
import type { Report } from '../output/report.ts';

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

/** Rules about lock-outs that do not block a promotion or a rollout. */
export const allowLockOutOption = new Option(
  '--allow <rule>',
  'Rule about devices that could not be updated any more, which does not block the change (repeatable)',
).argParser(allowedLockOut);

function allowedLockOut(value: string, previous: LockOutRule[] = []): LockOutRule[] {
  const rule = lockOutRuleNames.find((name) => name === value);
  if (rule !== undefined) return [...previous, rule];
  throw new InvalidArgumentError(`must be ${lockOutRuleNames.join(', ')}`);
}

/** Rules that the project allows outside its configuration, such as `custom_ota_allow` in platformio.ini. */
export const projectAllowOption = new Option(
  '--project-allow <rule: reason>',
  'Preflight rule that the project allows, with the reason, as in `allow` of the configuration (repeatable)',
)
  .argParser(projectAllowance)
  .default<RuleAllowance[]>([]);

function projectAllowance(value: string, previous: RuleAllowance[] = []): RuleAllowance[] {
  const [, rule, reason] = /^([^:\s]+)\s*:\s*(\S.*)$/.exec(value) ?? [];
  if (rule === undefined || reason === undefined) {
    throw new InvalidArgumentError('must be a rule and a reason, such as "no-ota: the last update of this device"');
  }
  if (projectRules.some((id) => id === rule)) return [...previous, { rule, reason }];
  throw new InvalidArgumentError(
    `names ${rule}, which a project cannot allow (docs/never-brick.md lists the rules that a project can allow)`,
  );
}

/** Returns the rules that a project's configuration allows. */
export function configuredAllowances({ allow = {} }: Pick<Config, 'allow'>): readonly RuleAllowance[] {
  return Object.entries(allow).map(([rule, reason]) => ({ rule, reason }));
}

/**
 * Returns all rules that do not block the update: those from the command line, the configuration and the release manifests. Prints a
 * warning for each rule that the project allows.
 */
export function rulesToAllow(
  named: readonly RuleId[],
  config: Pick<Config, 'allow'>,
  releases: readonly Release[],
  report: Pick<Report, 'warn'>,
): ReadonlySet<string> {
  const own = configuredAllowances(config);
  const packed = releases.flatMap((release) => {
    const rules: readonly string[] = rulesAllowedByProject(release);
    return (release.allowedRules ?? []).filter(({ rule }) => rules.includes(rule));
  });
  const allowances = [...packed, ...own];
  warnOfAllowances(allowances, report);
  return new Set<string>([...named, ...allowances.map(({ rule }) => rule)]);
}

/** Prints a warning for each rule that a project allows, once for each rule. */
export function warnOfAllowances(allowances: readonly RuleAllowance[], report: Pick<Report, 'warn'>): void {
  for (const [rule, reason] of new Map(allowances.map(({ rule, reason }) => [rule, reason]))) {
    report.warn(`the project allows the rule ${rule}: ${reason}`);
  }
}
