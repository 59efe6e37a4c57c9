import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Level } from '../../../project/doctor/check.ts';
import { type Diagnosis, examine } from '../../../project/doctor/examine.ts';
import { lookAround } from '../../../project/doctor/world.ts';
import { command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { makeReport, type OutputOptions } from '../../output/report.ts';
import { updateVirtualDevice } from '../../shared/update-virtual-device.ts';

export interface DoctorOptions extends OutputOptions {
  readonly source?: string | undefined;
  readonly fix?: boolean | undefined;
}

/** Declares the command. */
export function declareDoctor(declaration: Declaration) {
  return command(declaration, 'doctor', 'Check for problems that make builds or updates fail or unsafe', [
    'ota-hooks doctor',
    'ota-hooks doctor --source firmware/door --fix',
  ])
    .option(
      '--source <dir>',
      'Folder of the sketch or platformio.ini (default: current folder, or the only project below it)',
    )
    .option('--fix', 'Fix the problems that can be fixed safely')
    .action((options) => doctor(options, declaration.io));
}

/** Examines a project and this machine, and reports the findings with their fixes. */
export async function doctor(options: DoctorOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const folder = resolve(io.cwd, options.source ?? '.');
  const { env, platform, home, signal } = io;
  const place = {
    folder,
    env,
    platform,
    home,
    signal,
    path: report.path,
    node: io.self.node,
    cli: io.self.cli,
    updateVirtualDevice,
  };
  const look = () =>
    during({ what: 'looking around' }, io, options, async (tell) => examine(await lookAround(place), tell));
  const first = await look();
  const fixed = options.fix === true ? await mend(first) : [];
  for (const says of fixed) report.say(`fixed: ${says}`);
  const diagnoses = fixed.length > 0 ? await look() : first;

  tell(diagnoses, options, io);
  report.result('doctor', {
    folder,
    findings: diagnoses.map(({ check, level, says, mend: way, fix }) => ({
      check,
      level,
      says,
      ...(way === undefined ? {} : { mend: way }),
      fixable: fix !== undefined,
    })),
    fixed,
  });
  const errors = diagnoses.filter(({ level }) => level === 'error');
  if (errors.length > 0) {
    throw new OtaError('DOCTOR_FOUND', { errors: errors.length, fixable: errors.filter(({ fix }) => fix).length });
  }
}

/**
 * Applies all available fixes.
 *
 * @returns descriptions of what was done
 */
async function mend(diagnoses: readonly Diagnosis[]): Promise<readonly string[]> {
  const done: string[] = [];
  for (const { fix } of diagnoses) {
    if (fix === undefined) continue;
    await fix.apply();
    done.push(fix.says);
  }
  return done;
}

const colors: Record<Level, string> = { ok: '32', note: '36', warning: '33', error: '31' };
const levelWidth = 'warning'.length;

function tell(diagnoses: readonly Diagnosis[], { quiet }: DoctorOptions, io: Io): void {
  for (const { level, says, mend: way } of diagnoses) {
    if (quiet === true && (level === 'ok' || level === 'note')) continue;
    io.stderr.write(`${paint(level, io)} ${says}\n`);
    if (way !== undefined) io.stderr.write(`${' '.repeat(levelWidth)} → ${way}\n`);
  }
}

function paint(level: Level, io: Io): string {
  const word = level.padEnd(levelWidth);
  return io.fancy ? `\u001b[${colors[level]}m${word}\u001b[0m` : word;
}
