/** Runs the attack suite against real servers and commands, and prints how many attacks of each kind were tried and withstood. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { type AttackCount, countsFileVariable } from './support/attack-counts.ts';

const folder = mkdtempSync(join(tmpdir(), 'ota-attack-'));
const path = join(folder, 'counts');
writeFileSync(path, '');
const { exitCode = 1 } = await execa('node', ['test/ava.mjs', '--config', 'ava.attack.config.js'], {
  env: { [countsFileVariable]: path },
  stdio: 'inherit',
  reject: false,
});
printTable(readCounts(path));
rmSync(folder, { recursive: true });
process.exitCode = exitCode;

/** Adds up the counts of each kind, in alphabetical order. */
function readCounts(path: string): readonly AttackCount[] {
  const byKind = new Map<string, AttackCount>();
  for (const line of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
    const { kind, tried, withstood }: AttackCount = JSON.parse(line);
    const sum = byKind.get(kind);
    byKind.set(kind, { kind, tried: tried + (sum?.tried ?? 0), withstood: withstood + (sum?.withstood ?? 0) });
  }
  return [...byKind.values()].sort((one, other) => one.kind.localeCompare(other.kind));
}

function printTable(counts: readonly AttackCount[]): void {
  console.log(`\n${'attacks'.padEnd(60)} ${'tried'.padStart(9)} ${'withstood'.padStart(9)}`);
  for (const { kind, tried, withstood } of counts) {
    console.log(`${kind.padEnd(60)} ${format(tried)} ${format(withstood)}`);
  }
}

function format(count: number): string {
  return count.toLocaleString('en').padStart(9);
}
