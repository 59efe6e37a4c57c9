import test from 'ava';
import { fitted, sizeOf } from '../../../src/cli/output/bar.ts';
import { table } from '../../../src/cli/output/table.ts';
import { filteredOutput, type TerminalOutput, type TerminalSize } from '../../../src/cli/output/terminal-text.ts';
import { properties } from '../../../src/cli/output/text-block.ts';
import { builtSketch } from '../../support/built-sketch.ts';
import { runCommand } from '../../support/run-command.ts';

const rows = [
  ['mac', 'status', 'reason'],
  ['5c:cf:7f:00:00:01', 'blocked', 'the device has too little space for the update and for the running sketch'],
  ['5c:cf:7f:00:00:02', 'up-to-date', '-'],
];

test('a table is complete in a pipe', (t) => {
  t.is(table(rows).linesIn(undefined)[1], (rows[1] ?? []).join('  ').replace('blocked', 'blocked   '));
});

test('a table in a terminal shortens its widest column and keeps the others', (t) => {
  const lines = table(rows).linesIn(60);
  t.is(Math.max(...lines.map((line) => line.length)), 60);
  t.is(lines[1], '5c:cf:7f:00:00:01  blocked     the device has too little sp…');
  t.is(lines[2], '5c:cf:7f:00:00:02  up-to-date  -');
});

test('a table that fits is the same in a terminal and in a pipe', (t) => {
  t.deepEqual(table(rows).linesIn(200), table(rows).linesIn(undefined));
});

test('a table keeps eight characters of each column in a terminal that is too narrow', (t) => {
  t.is(table(rows).linesIn(10)[1], '5c:cf:7…  blocked   the dev…');
});

test('formats a table with 200,000 rows', (t) => {
  t.is(table(Array.from({ length: 200_000 }, () => ['x'])).linesIn(80).length, 200_000);
});

test('properties wrap between words below their text, and keep long words complete', (t) => {
  const path = '/home/user/projects/door/build/door.ino.bin.gz.signed';
  const block = properties([
    ['device', 'hall'],
    ['reason', `no space for ${path} on the device`],
  ]);
  t.deepEqual(block.linesIn(30), ['device  hall', 'reason  no space for', `        ${path}`, '        on the device']);
  t.deepEqual(block.linesIn(undefined), ['device  hall', `reason  no space for ${path} on the device`]);
});

test('a live line is shortened to the current width of the terminal, and to 79 characters of an unknown one', (t) => {
  let size: TerminalSize | undefined = { columns: 20, rows: 5 };
  const output: TerminalOutput = filteredOutput(
    () => undefined,
    () => size,
  );
  t.is(fitted('x'.repeat(100), output), `${'x'.repeat(18)}…`);
  size = { columns: 200, rows: 50 };
  t.is(fitted('x'.repeat(100), output), 'x'.repeat(100));
  size = undefined;
  t.is(fitted('x'.repeat(100), output), `${'x'.repeat(78)}…`);
  t.deepEqual(sizeOf(output), { columns: 80, rows: 24 });
});

test('preflight wraps its rows in a terminal, and prints the same words in a pipe', async (t) => {
  const { path: cwd } = await builtSketch(t);
  const argv = ['preflight', 'build/door.ino.bin', '--core', '2.7.4', '--layout', '4m2m', '--transport', 'espota'];
  const wide = await runCommand(argv, { cwd });
  const narrow = await runCommand(argv, { cwd, size: { columns: 40, rows: 24 } });
  const words = (text: string) => text.split(/\s+/);
  const longestText = Math.max(...words(wide.stdout).map(({ length }) => length));
  t.true(Math.max(...wide.stdout.split('\n').map(({ length }) => length)) > 40);
  t.true(longestText < 31, 'no word forces a longer line');
  t.true(Math.max(...narrow.stdout.split('\n').map(({ length }) => length)) <= 40);
  t.deepEqual(words(narrow.stdout), words(wide.stdout));
});
