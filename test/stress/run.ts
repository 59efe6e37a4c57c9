/**
 * Runs the unit tests under different machine loads and prints which tests failed under which load:
 *
 *     npm run test:stress                        all four, one after the other
 *     npm run test:stress -- --only busy,pinned --plain-runs 3
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runUnitTests, type UnitTestRun } from './run-unit-tests.ts';
import { type Surroundings, surroundings } from './surroundings.ts';
import { failureTable } from './table.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, 'plain-runs': { type: 'string', default: '10' } },
});
const names = values.only?.split(',') ?? Object.keys(surroundings);

const results: { readonly name: string; readonly runs: readonly UnitTestRun[] }[] = [];
for (const name of names) {
  const { prepare, timeout } = find(name);
  const count = name === 'plain' ? Number(values['plain-runs']) : 1;
  const runs: UnitTestRun[] = [];
  for (let run = 1; run <= count; run++) {
    await using place = await prepare();
    const result = await runUnitTests(place.command, timeout);
    runs.push(result);
    const { passed, failures, seconds } = result;
    console.log(`${name} ${run}/${count}: ${passed} passed, ${failures.length} failed, ${seconds} s`);
  }
  results.push({ name, runs });
}
console.log(`\n${availableParallelism()} cores, Node.js ${process.versions.node}\n\n${failureTable(results)}`);
process.exitCode = results.some(({ runs }) => runs.some(({ isGreen }) => !isGreen)) ? 1 : 0;

function find(name: string): Surroundings {
  const found = surroundings[name];
  if (found === undefined) throw new Error(`--only takes a list of ${Object.keys(surroundings).join(', ')}`);
  return found;
}
