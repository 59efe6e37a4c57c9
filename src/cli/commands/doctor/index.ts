import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Level } from '../../../project/doctor/check.ts';
import { readContext } from '../../../project/doctor/context.ts';
import { type CheckFinding, runChecks } from '../../../project/doctor/run-checks.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { makeReport } from '../../output/report.ts';
import { type Color, colored, outputLine } from '../../output/terminal-text.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { updateVirtualDevice } from '../../shared/update-virtual-device.ts';

const doctorCommand = (declaration: Declaration) =>
  command(declaration, 'doctor', 'Check for problems that break builds or updates, or make them unsafe', [
    'ota-hooks doctor',
    'ota-hooks doctor --source firmware/door --fix',
  ])
    .addOption(projectOptions.source)
    .option('--fix', 'Fix the problems that can be fixed safely');

type DoctorOptions = OptionsOf<typeof doctorCommand>;

export function declareDoctor(declaration: Declaration) {
  return doctorCommand(declaration).action((options) => doctor(options, declaration.io));
}

/** Checks the project and this machine and reports findings with their fixes. */
export async function doctor(options: DoctorOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const folder = resolve(io.cwd, options.source ?? '.');
  const { env, platform, home, userId, signal } = io;
  const place = {
    folder,
    env,
    platform,
    home,
    userId,
    signal,
    path: report.path,
    node: io.self.node,
    cli: io.self.cli,
    updateVirtualDevice,
  };
  const check = () =>
    during({ what: 'running checks' }, io, options, async (onProgress) =>
      runChecks(await readContext(place), onProgress),
    );
  const first = await check();
  const fixed = options.fix === true ? await applyFixes(first) : [];
  for (const done of fixed) report.say(`fixed: ${done}`);
  const findings = fixed.length > 0 ? await check() : first;

  print(findings, options, io);
  const document = {
    folder,
    findings: findings.map(({ check, level, message, fix, autofix }) => ({
      check,
      level,
      message,
      ...(fix === undefined ? {} : { fix }),
      fixable: autofix !== undefined,
    })),
    fixed,
  };
  report.result('doctor', document, undefined, failureOf(findings));
}

function failureOf(findings: readonly CheckFinding[]): OtaError | undefined {
  const errors = findings.filter(({ level }) => level === 'error');
  if (errors.length === 0) return undefined;
  const fixable = errors.filter(({ autofix }) => autofix !== undefined).length;
  return new OtaError('DOCTOR_FOUND', { errors: errors.length, fixable });
}

/**
 * Applies all available fixes.
 *
 * @returns descriptions of the applied fixes
 */
async function applyFixes(findings: readonly CheckFinding[]): Promise<readonly string[]> {
  const done: string[] = [];
  for (const { autofix } of findings) {
    if (autofix === undefined) continue;
    await autofix.apply();
    done.push(autofix.done);
  }
  return done;
}

const colors: Record<Level, Color> = { ok: 'green', note: 'cyan', warning: 'yellow', error: 'red' };
const levelWidth = 'warning'.length;

/** Prints the findings on stdout, unless stdout is for a JSON document. */
function print(findings: readonly CheckFinding[], { quiet, json }: DoctorOptions, io: Io): void {
  const output = json === true ? io.stderr : io.stdout;
  const fancy = json === true ? io.fancy : io.fancyStdout;
  for (const { level, message, fix } of findings) {
    if (quiet === true && (level === 'ok' || level === 'note')) continue;
    output.write([...colored({ fancy }, colors[level], level.padEnd(levelWidth)), outputLine(` ${message}`)]);
    if (fix !== undefined) output.write(outputLine(`${' '.repeat(levelWidth)} → ${fix}`));
  }
}
