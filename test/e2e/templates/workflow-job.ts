import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultLoaders } from 'cosmiconfig';
import { execa } from 'execa';
import * as v from 'valibot';
import { cli } from '../arduino/workplace.ts';
import { platformIo } from '../provision/platformio.ts';
import { templates } from './parts.ts';

const variables = v.optional(v.record(v.string(), v.string()), {});
const stepSchema = v.object({
  name: v.optional(v.string()),
  if: v.optional(v.string()),
  run: v.optional(v.string()),
  env: variables,
  'working-directory': v.optional(v.string(), '.'),
});
const workflowSchema = v.object({
  env: variables,
  jobs: v.record(v.string(), v.object({ env: variables, steps: v.array(stepSchema) })),
});
const actionSchema = v.object({
  inputs: v.record(v.string(), v.object({ default: v.optional(v.string(), '') })),
  runs: v.object({ using: v.literal('composite'), steps: v.array(stepSchema) }),
});

type Step = v.InferOutput<typeof stepSchema>;

export interface JobRun {
  /** Name of the failed step; no step runs after it. */
  readonly failed: string | undefined;
  readonly output: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** Text that the steps wrote into the step summary. */
  readonly summary: string;
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

export interface ActionPlace {
  readonly folder: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** Folder of programs that the runner has, such as `gh`. */
  readonly programs: string;
}

/**
 * Runs the commands of a job as a runner would: each step in its own bash, stopping at the first error.
 * Skips actions and tool installation; their results must exist already.
 */
export async function runJob(job: string, { workflow, folder, env, needs = {} }: JobPlace): Promise<JobRun> {
  const parsed = v.parse(workflowSchema, await readYaml(workflow));
  const { steps, env: jobEnv } = v.parse(v.nonOptional(workflowSchema.entries.jobs.value), parsed.jobs[job]);
  const value = (expression: string) => {
    const [context, ...names] = expression.split('.');
    const from = { secrets: env, vars: env, needs }[context ?? ''] ?? {};
    return from[names.at(-1) ?? ''] ?? '';
  };
  return runSteps(steps, folder, value, {
    ...filled(parsed.env, value),
    ...filled(jobEnv, value),
    ...Object.fromEntries(Object.entries(env).filter(([variable]) => !variable.startsWith('OTA_'))),
  });
}

/** Runs a composite action of templates/ci in the same way. */
export async function runAction(name: string, { folder, inputs, env, programs }: ActionPlace): Promise<JobRun> {
  const { inputs: declared, runs } = v.parse(actionSchema, await readYaml(join(name, 'action.yml')));
  const unknown = Object.keys(inputs).filter((input) => !Object.hasOwn(declared, input));
  if (unknown.length > 0) throw new Error(`The action has no input ${unknown.join(', ')}`);
  const github: Readonly<Record<string, string>> = { token: 'token-of-the-job', repository: 'example/door' };
  const given = (expression: string): string => {
    const [context, input = ''] = expression.split('.');
    if (context === 'github') return github[input] ?? '';
    return inputs[input] ?? fill(declared[input]?.default ?? '', given);
  };
  return runSteps(runs.steps, folder, given, env, programs);
}

async function readYaml(name: string): Promise<unknown> {
  const path = join(templates, 'ci', name);
  return defaultLoaders['.yaml'](path, await readFile(path, 'utf8'));
}

async function runSteps(
  steps: readonly Step[],
  folder: string,
  value: (expression: string) => string,
  env: Readonly<Record<string, string>>,
  programs = '/usr/bin',
): Promise<JobRun> {
  const temp = join(folder, 'temp');
  const [outputs, summary] = [join(temp, 'github-output'), join(temp, 'github-summary')];
  await mkdir(temp, { recursive: true });
  await Promise.all([writeFile(outputs, ''), writeFile(summary, '')]);
  const shown: string[] = [];
  let failed: string | undefined;
  for (const { name = '', run, if: condition, env: stepEnv, 'working-directory': place } of steps) {
    if (run === undefined || name.startsWith('Install ') || !holds(condition, value)) continue;
    const result = await execa('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', run], {
      cwd: join(folder, place),
      extendEnv: false,
      env: {
        PATH: [programs, dirname(process.execPath), dirname(platformIo.pio), '/usr/bin', '/bin'].join(delimiter),
        HOME: folder,
        LANG: 'C.UTF-8',
        CI: 'true',
        PLATFORMIO_SETTING_ENABLE_TELEMETRY: 'no',
        PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL: '9999',
        PLATFORMIO_SETTING_CHECK_PRUNE_SYSTEM_THRESHOLD: '0',
        GITHUB_OUTPUT: outputs,
        GITHUB_STEP_SUMMARY: summary,
        RUNNER_TEMP: temp,
        ...env,
        ...filled(stepEnv, value),
      },
      reject: false,
      all: true,
      timeout: 480_000,
    });
    shown.push(result.all);
    if (!result.failed) continue;
    failed = name;
    break;
  }
  const pairs = (await readFile(outputs, 'utf8')).split('\n').filter((line) => line.includes('='));
  const written = await readFile(summary, 'utf8');
  await Promise.all([rm(outputs), rm(summary)]);
  return {
    failed,
    output: `${shown.join('\n')}\n`,
    outputs: failed === undefined ? Object.fromEntries(pairs.map((line) => line.split('=', 2))) : {},
    summary: written,
  };
}

/** Evaluates the conditions of these templates: comparisons with the empty text, at least one of which must hold. */
function holds(condition: string | undefined, value: (expression: string) => string): boolean {
  return condition === undefined || condition.split(' || ').some((part) => isTrue(part, value));
}

function isTrue(condition: string, value: (expression: string) => string): boolean {
  const [, expression = '', operator] = /^(\S+) (==|!=) ''$/.exec(condition) ?? [];
  if (operator === undefined) throw new Error(`The test cannot evaluate the condition ${condition}`);
  return (value(expression) === '') === (operator === '==');
}

/** Expands the expressions in these workflows in variables only: in commands, bash would execute the expanded text. */
function filled(
  texts: Readonly<Record<string, string>>,
  value: (expression: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text, value)]));
}

function fill(text: string, value: (expression: string) => string): string {
  return text.replace(/\$\{\{ (.+?) \}\}/g, (_, expression: string) => {
    const values = expression.split('||').map((part) => value(part.trim()));
    return values.find((part) => part !== '') ?? '';
  });
}

/** Places the command where npm would install it. */
export async function placeCommand(folder: string): Promise<void> {
  const command = join(folder, 'node_modules', '.bin', 'ota-hooks');
  await mkdir(dirname(command), { recursive: true });
  await writeFile(command, `#!${process.execPath}\nimport(${JSON.stringify(pathToFileURL(cli).href)});\n`);
  await chmod(command, 0o755);
}
