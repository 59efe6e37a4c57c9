import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { runUpdate, type UpdateResult } from '../../../src/core/device-model/run-update.ts';
import { flashModes } from '../../../src/core/firmware/flash-header.ts';
import type { RuleId } from '../../../src/core/preflight/registry.ts';
import { type PreflightFinding, runRules } from '../../../src/core/preflight/run-rules.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { anyScenario, describeScenario, type Scenario } from './scenarios.ts';

function complaintsOf({ facts, sent: { release, artifact } }: Scenario): readonly PreflightFinding[] {
  return runRules({ release, artifact, facts });
}

function errorsOf(findings: readonly PreflightFinding[]): readonly RuleId[] {
  return findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
}

function run({ device, transport, kind, sent }: Scenario): UpdateResult {
  const md5 = createHash('md5').update(sent.bytes).digest('hex');
  return runUpdate(device, sent.bytes, { transport, kind, md5, expected: sent.content });
}

function told(result: UpdateResult): string {
  const why = 'why' in result ? ` ${result.why}` : result.outcome === 'rejected' ? ` ${result.error.printed}` : '';
  return result.outcome + why;
}

test("every update that the preflight rules allow leaves the image in the model device's flash", (t) => {
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      const blockedBy = errorsOf(complaintsOf(scenario));
      const result = run(scenario);
      const key = `${blockedBy.length === 0 ? 'safe' : 'blocked'}: ${result.outcome}`;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
      if (blockedBy.length > 0) return;
      if (result.outcome !== 'updated') t.fail(`safe, but ${told(result)}: ${describeScenario(scenario)}`);
      t.true(isInFlash(scenario, result), describeScenario(scenario));
    }),
    propertyRuns(150, 100_000),
  );
  t.log(Object.fromEntries([...outcomes].sort()));
});

function isInFlash({ device, kind, sent }: Scenario, result: UpdateResult): boolean {
  const at = kind === 'sketch' ? 0 : device.fsStart;
  const expected = sent.content.slice();
  const isPatched = kind === 'sketch' && sent.artifact.encoding === 'identity';
  if (isPatched && device.capabilities.patchesFlashMode !== 'never') expected[2] = flashModes.indexOf(device.flashMode);
  return Buffer.compare(result.device.flash.subarray(at, at + expected.length), expected) === 0;
}

/**
 * Rules that block some updates that succeed on the model device. They prevent problems that the model does not cover: chip wiring (flash
 * mode), later updates (flash size, keys) and mounting of the filesystem.
 */
const caution: ReadonlySet<RuleId> = new Set<RuleId>([
  'flash-mode-gz',
  'flash-mode-raw-old',
  'flash-size',
  'fs-size-mismatch',
  'embedded-key-other',
]);

/** Rules about damaged files. They block an update even if the damage happens to be harmless. */
const spoilt: ReadonlySet<RuleId> = new Set<RuleId>(['corrupt-image', 'trailing-data', 'guard-metadata']);

test('only the listed precautionary rules block updates that succeed on the model device', (t) => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      const all = errorsOf(complaintsOf(scenario));
      const blockedBy = all.filter((rule) => !caution.has(rule));
      if (blockedBy.length === 0 || all.some((rule) => spoilt.has(rule))) return;
      const result = run(scenario);
      if (result.outcome === 'updated') t.fail(`${blockedBy.join(', ')}, but updated: ${describeScenario(scenario)}`);
    }),
    propertyRuns(150, 100_000),
  );
  t.pass();
});
