import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultLoaders } from 'cosmiconfig';
import { execa } from 'execa';
import * as v from 'valibot';
import { cli } from '../arduino/workplace.ts';
import { platformIo } from '../provision/platformio.ts';
import { templates } from './parts.ts';

const environment = v.optional(v.record(v.string(), v.string()), {});
const stepSchema = v.object({
  name: v.optional(v.string()),
  run: v.optional(v.string()),
  env: environment,
  'working-directory': v.optional(v.string(), '.'),
});
const workflowSchema = v.object({
  env: environment,
  jobs: v.record(v.string(), v.object({ env: environment, steps: v.array(stepSchema) })),
});

export interface JobRun {
  /** Name of the failed step; no step runs after it. */
  readonly failed: string | undefined;
  readonly output: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface JobPlace {
  /** File name in templates/ci. */
  readonly workflow: string;
  readonly folder: string;
  /** Variables that GitHub or action steps would set, and secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** Outputs of the job that this job needs. */
  readonly needs?: Readonly<Record<string, string>>;
}

/**
 * Runs the commands of a job as a runner would: each step in its own bash, stopping at the first error.
 * Skips actions and tool installation; their results must exist already.
 */
export async function runJob(job: string, { workflow, folder, env, needs = {} }: JobPlace): Promise<JobRun> {
  const path = join(templates, 'ci', workflow);
  const parsed = v.parse(workflowSchema, await defaultLoaders['.yaml'](path, await readFile(path, 'utf8')));
  const { steps, env: jobEnv } = v.parse(v.nonOptional(workflowSchema.entries.jobs.value), parsed.jobs[job]);
  const outputs = join(folder, 'temp', 'github-output');
  await mkdir(dirname(outputs), { recursive: true });
  await writeFile(outputs, '');
  let output = '';
  for (const { name = '', run, env: stepEnv, 'working-directory': place } of steps) {
    if (run === undefined || name.startsWith('Install ')) continue;
    const result = await execa('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', run], {
      cwd: join(folder, place),
      extendEnv: false,
      env: {
        PATH: [dirname(process.execPath), dirname(platformIo.pio), '/usr/bin', '/bin'].join(delimiter),
        HOME: folder,
        LANG: 'C.UTF-8',
        CI: 'true',
        PLATFORMIO_SETTING_ENABLE_TELEMETRY: 'no',
        PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL: '9999',
        PLATFORMIO_SETTING_CHECK_PRUNE_SYSTEM_THRESHOLD: '0',
        GITHUB_OUTPUT: outputs,
        RUNNER_TEMP: join(folder, 'temp'),
        ...filled(parsed.env, env, needs),
        ...filled(jobEnv, env, needs),
        ...filled(stepEnv, env, needs),
        ...Object.fromEntries(Object.entries(env).filter(([variable]) => !variable.startsWith('OTA_'))),
      },
      reject: false,
      all: true,
      timeout: 480_000,
    });
    output += `${result.all}\n`;
    if (result.failed) {
      await rm(outputs);
      return { failed: name, output, outputs: {} };
    }
  }
  const written = await readFile(outputs, 'utf8');
  await rm(outputs);
  const pairs = written.split('\n').filter((line) => line.includes('='));
  return { failed: undefined, output, outputs: Object.fromEntries(pairs.map((line) => line.split('=', 2))) };
}

/** Expands the expressions in these workflows in variables only: in commands, bash would execute the expanded text. */
function filled(
  variables: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
  needs: Readonly<Record<string, string>>,
): Record<string, string> {
  const fill = (value: string) =>
    value
      .replace(/\$\{\{ secrets\.(\w+) \}\}/, (_, name: string) => secrets[name] ?? '')
      .replace(/\$\{\{ needs\.\w+\.outputs\.(\w+) \}\}/, (_, name: string) => needs[name] ?? '');
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, fill(value)]));
}

/** Places the command where npm would install it. */
export async function placeCommand(folder: string): Promise<void> {
  const command = join(folder, 'node_modules', '.bin', 'ota-hooks');
  await mkdir(dirname(command), { recursive: true });
  await writeFile(command, `#!${process.execPath}\nimport(${JSON.stringify(pathToFileURL(cli).href)});\n`);
  await chmod(command, 0o755);
}
