/** Prints the ten slowest tests in AVA's output, with their durations in seconds. */
import { readFileSync } from 'node:fs';

const unitSeconds = { ms: 0.001, s: 1, m: 60 };
const durations = new Map();
for (const line of readFileSync(process.argv[2], 'utf8').split('\n')) {
  const [, title, duration] = /^ *✔ (.*) \(((?:\d[\d.]*(?:ms|s|m) ?)+)\)$/.exec(line) ?? [];
  if (title !== undefined) durations.set(title, Math.max(durations.get(title) ?? 0, secondsOf(duration)));
}
const slowest = [...durations].sort(([, a], [, b]) => b - a).slice(0, 10);
for (const [title, seconds] of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${title}`);

function secondsOf(duration) {
  return duration
    .split(' ')
    .reduce((sum, part) => sum + Number.parseFloat(part) * unitSeconds[part.replace(/[\d.]/g, '')], 0);
}
