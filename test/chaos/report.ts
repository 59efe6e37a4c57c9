import type { Violation } from './check-log.ts';
import { rules } from './check-log.ts';
import type { ChaosLog } from './log.ts';

interface Figures {
  readonly violations: readonly Violation[];
  readonly miscounted: readonly string[];
  readonly kills: number;
  readonly rollouts: number;
  readonly seconds: number;
  readonly devices: number;
}

const mostShown = 10;

/** Prints the figures of a run and its violations. */
export function printReport(log: ChaosLog, figures: Figures): void {
  const { responses, commits, writes, outages } = log;
  const { violations, miscounted, kills, rollouts, seconds, devices } = figures;
  const count = (matches: (response: ChaosLog['responses'][number]) => boolean) => responses.filter(matches).length;
  const times = responses.map(({ startedAt, endedAt }) => endedAt - startedAt).sort((a, b) => a - b);
  const percentile = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0;
  const states = (wanted: readonly string[]) =>
    commits.filter((commit) => commit.kind === 'rollout' && wanted.includes(commit.state)).length;
  const lines: readonly (readonly [string, string | number])[] = [
    ['devices', devices],
    ['seconds', seconds],
    ['kills with SIGKILL', kills],
    ['other outages', outages.filter(({ component }) => component !== 'process').length],
    ['device requests', responses.length],
    ['  304', count(({ status }) => status === 304)],
    ['  200 (downloads)', count(({ status }) => status === 200)],
    ['  503 from a server', count(({ status, server }) => status === 503 && server !== undefined)],
    ['  5xx from the load balancer', count(({ status, server }) => status >= 500 && server === undefined)],
    ['  no response', count(({ status }) => status === 0)],
    ['  others', count(({ status }) => ![0, 200, 304].includes(status) && status < 500)],
    ['response time, p50 / p99', `${percentile(0.5)} / ${percentile(0.99)} ms`],
    ['commits of attempts', commits.filter(({ kind }) => kind === 'attempts').length],
    ['rollouts', rollouts],
    ['commits of a paused or halted rollout', states(['paused', 'halted'])],
    [
      'API writes, acknowledged',
      `${writes.length}, ${writes.filter(({ status }) => status < 300 && status > 0).length}`,
    ],
  ];
  for (const [name, value] of lines) console.log(`${name.padEnd(40)} ${value.toLocaleString('en')}`);
  console.log('\nviolations');
  for (const [rule, text] of Object.entries(rules)) {
    const found = violations.filter((each) => each.rule === rule);
    console.log(`${String(found.length).padStart(6)}  ${text}`);
    for (const each of found.slice(0, mostShown)) console.log(`          ${each.text}`);
  }
  console.log(`${String(miscounted.length).padStart(6)}  a kept count of devices that differs from the devices`);
  for (const line of miscounted.slice(0, mostShown)) console.log(`          ${line}`);
}
