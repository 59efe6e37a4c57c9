import { setTimeout } from 'node:timers/promises';
import type { RolloutInfo } from '../../../../api/rollout-info.ts';
import { rolloutInfoSchema } from '../../../../api/rollout-info.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { fitted, sizeOf } from '../../../output/bar.ts';
import type { Report } from '../../../output/report.ts';
import { clearedFrom, outputLine } from '../../../output/terminal-text.ts';
import { duration } from '../../../shared/option-values.ts';
import { serverClient, serverCommand } from '../connection.ts';
import { rolloutOptions, rolloutPath } from './rollout-path.ts';
import { describeProgress, progressLine } from './view.ts';

const watchCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'watch <project>', 'Watch a rollout until it ends; exit code 0 if it is complete', [
    'ota-hooks server rollouts watch door --server https://ota.example.com',
    'ota-hooks server rollouts watch door --id 7 --interval 10s --json',
  ])
    .addOption(rolloutOptions.id)
    .addOption(rolloutOptions.channel)
    .option('--interval <time>', 'Time between two requests, such as 5s or 1m', duration, 2000);

export function declareRolloutWatch(declaration: Declaration): void {
  watchCommand(declaration).action((project, options) => watch(project, options, declaration.io));
}

/** @throws OtaError ROLLOUT_NOT_COMPLETE if the rollout is halted, or ended in a different way */
async function watch(project: string, options: OptionsOf<typeof watchCommand>, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const path = await rolloutPath(client, project, options);
  const show = options.json !== true && io.fancyStdout ? screenView(io) : lineView(client.report);
  for (;;) {
    const rollout = await client.request('GET', path, rolloutInfoSchema);
    show(rollout);
    const { version, state, reason } = rollout;
    if (state === 'complete') return;
    if (state !== 'active' && state !== 'paused') {
      throw new OtaError('ROLLOUT_NOT_COMPLETE', { project, version, state, reason });
    }
    await setTimeout(options.interval, undefined, { signal: io.signal });
  }
}

type ShowRollout = (rollout: RolloutInfo) => void;

/** Prints one line for each change. */
function lineView({ event }: Report): ShowRollout {
  let last: string | undefined;
  return (rollout) => {
    const line = progressLine(rollout);
    if (line !== last) event('server rollouts watch', rollout, line);
    last = line;
  };
}

/** Redraws the state and the stages, as much of them as the terminal shows. */
function screenView({ stdout }: Io): ShowRollout {
  let drawn = 0;
  return (rollout) => {
    const { columns, rows } = sizeOf(stdout);
    const lines = describeProgress(rollout).flatMap((block) => block.linesIn(columns));
    const shown = lines.slice(0, rows - 1).map((line) => fitted(line, stdout));
    stdout.write([clearedFrom(drawn), ...shown.map(outputLine)]);
    drawn = shown.length;
  };
}
