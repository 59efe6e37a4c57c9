import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { type Act, actsOf } from '../../docs/acts.ts';
import type { Place, Run } from './place.ts';

/** A command that a reader repeats until its output matches the page, since devices need time. */
export interface Settled {
  readonly heading: string;
  readonly command: string;
  readonly until: RegExp;
}

/** Limit for a wait that would otherwise never end; AVA's timeout for end-to-end tests is longer. */
const patienceMs = 480_000;

/** Runs the commands of a page in order and fails at the first command that fails. */
export interface PageFollower {
  /** @param before called before each act, with the number of earlier occurrences of the same command */
  follow(heading: string, before?: (act: Act, count: number) => Promise<void>): Promise<readonly Run[]>;
}

export function pageFollower(
  t: ExecutionContext,
  place: Place,
  page: string,
  settled: readonly Settled[],
): PageFollower {
  return {
    async follow(heading, before = async () => undefined) {
      const runs: Run[] = [];
      for (const act of actsOf(page, heading)) {
        const command = act.act === 'run' ? act.command : '';
        await before(act, runs.filter((run) => run.command === command).length + 1);
        const until = settled.find((each) => each.heading === heading && each.command === command)?.until;
        const run = await followUntil(place, act, until);
        if (run === undefined) continue;
        runs.push(run);
        t.is(run.exitCode, 0, `${run.command}\n${run.output}`);
        if (until !== undefined) t.regex(run.output, until);
      }
      return runs;
    },
  };
}

async function followUntil(place: Place, act: Act, until: RegExp | undefined): Promise<Run | undefined> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const run = await place.follow(act);
    if (until === undefined || run === undefined || until.test(run.output) || performance.now() > end) return run;
    await pause(1000);
  }
}

/** Joined output of the matching commands. */
export function outputOf(runs: readonly Run[], command: RegExp): string {
  return runs
    .filter((run) => command.test(run.command))
    .map(({ output }) => output)
    .join('\n');
}
