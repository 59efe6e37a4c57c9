import test from 'ava';
import fc from 'fast-check';
import { runUpdate, type UpdateResult } from '../../../src/core/device-model/run-update.ts';
import type { DeviceFacts } from '../../../src/core/model/device-facts.ts';
import type { RuleId } from '../../../src/core/preflight/registry.ts';
import { type PreflightFinding, runRules } from '../../../src/core/preflight/run-rules.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { anyScenario, describeScenario, type Scenario } from './scenarios.ts';

const names = [
  'core',
  'signing',
  'keyFingerprint',
  'flashMode',
  'chipSizeBytes',
  'fsStart',
  'fsEnd',
  'sketchSizeBytes',
  'transport',
  'flashMap',
  'atomicFs',
  'kind',
] as const satisfies readonly (keyof DeviceFacts)[];
type Name = (typeof names)[number];

function without(facts: DeviceFacts, hidden: readonly Name[]): DeviceFacts {
  return Object.fromEntries(Object.entries(facts).filter(([name]) => !hidden.some((other) => other === name)));
}

/**
 * Returns whether the result of an allowed raw artifact is acceptable. Unknown facts never block a raw artifact, so some harm is possible.
 */
function isForgiven(result: UpdateResult, warnings: readonly PreflightFinding[], coreKnown: boolean): boolean {
  const isWarned = (rule: RuleId): boolean => warnings.some((warning) => warning.rule === rule);
  switch (result.outcome) {
    case 'updated':
    case 'rejected':
    case 'crashed':
      return true;
    case 'kept':
      return false;
    // A device on core 2.7.2 hangs until a power cycle, but the new sketch is installed.
    case 'bricked':
      return result.why === 'compare-failed' && (!coreKnown || isWarned('bad-core-2.7.2'));
    // Old cores overwrite a byte in a filesystem image, do not limit its size, or let its start address wrap around.
    case 'damaged':
      return !coreKnown || isWarned('fs-mode-patched') || isWarned('no-space');
  }
}

test('no allowed update destroys the sketch, whichever facts are unknown', (t) => {
  fc.assert(
    fc.property(anyScenario, fc.subarray([...names]), (scenario, hidden) => {
      const { release, artifact, bytes, content } = scenario.sent;
      const { device, transport, kind } = scenario;
      const findings = runRules({ release, artifact, facts: without(scenario.facts, hidden) });
      if (findings.some(({ severity }) => severity === 'error')) return;
      const result = runUpdate(device, bytes, { transport, kind, expected: content });
      const isRaw = artifact.encoding === 'identity';
      const coreKnown = !hidden.includes('core');
      const isFine = isRaw
        ? isForgiven(result, findings, coreKnown)
        : result.outcome === 'updated' || result.outcome === 'rejected';
      if (!isFine) t.fail(`${result.outcome}, without ${hidden.join(', ')}: ${describeScenario(scenario)}`);
    }),
    propertyRuns(150, 100_000),
  );
  t.pass();
});

test('blocks gzip-compressed artifacts if the core, the flash mode, the chip size or the layout is unknown', (t) => {
  const needed = fc.constantFrom<Name>('core', 'flashMode', 'chipSizeBytes', 'fsStart');
  fc.assert(
    fc.property(anyScenario, needed, (scenario, hidden) => {
      const { release, artifact } = scenario.sent;
      if (artifact.encoding === 'identity') return;
      const findings = runRules({ release, artifact, facts: without(scenario.facts, [hidden]) });
      t.true(findings.some(({ severity }) => severity === 'error'));
    }),
    propertyRuns(50, 10_000),
  );
  t.pass();
});

test('never blocks a raw artifact because of unknown facts', (t) => {
  fc.assert(
    fc.property(anyScenario, fc.subarray([...names]), (scenario, hidden) => {
      const { release, artifact } = scenario.sent;
      if (artifact.encoding === 'gzip') return;
      const refusedBy = (facts: DeviceFacts): readonly RuleId[] =>
        runRules({ release, artifact, facts })
          .filter(({ severity }) => severity === 'error')
          .map(({ rule }) => rule);
      // If the partition size is unknown, the superblock limits the size of the filesystem image.
      const blockedBy = refusedBy(without(scenario.facts, hidden)).filter((rule) => rule !== 'fs-signed-size');
      if (blockedBy.length > 0) t.not(refusedBy(scenario.facts).length, 0, blockedBy.join(' '));
    }),
    propertyRuns(150, 50_000),
  );
  t.pass();
});

function isHarmless({ device, transport, kind, sent }: Scenario): boolean {
  const { outcome } = runUpdate(device, sent.bytes, { transport, kind, expected: sent.content });
  return outcome === 'rejected' || outcome === 'crashed';
}

test('an update that a rule blocks still has a finding when one device fact is unknown', (t) => {
  const silent = new Map<string, string>();
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      const { release, artifact } = scenario.sent;
      const errors = runRules({ release, artifact, facts: scenario.facts }).filter(
        ({ severity }) => severity === 'error',
      );
      // A device that rejects an update keeps its sketch, so these errors only prevent a futile transfer.
      if (errors.length === 0 || isHarmless(scenario)) return;
      for (const name of names) {
        if (scenario.facts[name] === undefined) continue;
        if (runRules({ release, artifact, facts: without(scenario.facts, [name]) }).length > 0) continue;
        silent.set(`${errors.map(({ rule }) => rule).join(' ')} without ${name}`, describeScenario(scenario));
      }
    }),
    propertyRuns(150, 50_000),
  );
  t.deepEqual(Object.fromEntries(silent), {});
});
