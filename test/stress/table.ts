import type { UnitTestRun } from './run-unit-tests.ts';

interface Result {
  readonly name: string;
  readonly runs: readonly UnitTestRun[];
}

/** Markdown table of failures by test (rows) and environment (columns). */
export function failureTable(results: readonly Result[]): string {
  const titles = new Set(results.flatMap(({ runs }) => runs.flatMap(({ failures }) => failures)));
  const heads = results.map(({ name, runs }) => `${name} (${runs.length} ${runs.length === 1 ? 'run' : 'runs'})`);
  const rows = [...titles].sort().map((title) => [title, ...results.map((result) => countOf(title, result))]);
  const seconds = ['median seconds', ...results.map(({ runs }) => String(medianSeconds(runs)))];
  const total = ['failures', ...results.map(({ runs }) => String(runs.flatMap(({ failures }) => failures).length))];
  const passed = ['tests passed', ...results.map(({ runs }) => [...new Set(runs.map((run) => run.passed))].join(' '))];
  return [['test', ...heads], ['---', ...heads.map(() => '---')], ...rows, total, passed, seconds]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function countOf(title: string, { runs }: Result): string {
  return String(runs.filter(({ failures }) => failures.includes(title)).length);
}

function medianSeconds(runs: readonly UnitTestRun[]): number {
  const sorted = runs.map(({ seconds }) => seconds).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
