import { once } from 'node:events';
import { execa } from 'execa';

type Environment = Readonly<Record<string, string>>;

/** Time limit for a command that hangs; AVA's timeout for end-to-end tests is longer. */
const patienceMs = 480_000;

/** Result of a command. */
export interface Outcome {
  readonly exitCode: number | undefined;
  /** Combined output of the command. */
  readonly output: string;
}

const question = /(?:Continue\?|Revert the changes that init made|Also install the hooks in the esp8266 core)/g;

/** Runs a command in a pseudo-terminal (`script` of util-linux) and answers each prompt with Enter. */
export async function runAtTerminal(command: string, cwd: string, env: Environment): Promise<Outcome> {
  // Without a size, the terminal would have zero columns.
  const argv = ['--quiet', '--return', '--flush', '--command', `stty cols 120 rows 40; ${command}`, '/dev/null'];
  const process = execa('script', argv, {
    cwd,
    env,
    extendEnv: false,
    reject: false,
    timeout: patienceMs,
    buffer: false,
    stdin: 'pipe',
  });
  let output = '';
  let confirmed = 0;
  process.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    const prompts = new Set(output.match(question)).size;
    for (; confirmed < prompts; confirmed += 1) process.stdin.write('\r');
  });
  const { exitCode, timedOut } = await process;
  return { exitCode: timedOut ? undefined : exitCode, output };
}

/** Runs a command as a program started from the desktop would: without a terminal and without input. */
export async function runFromDesktop(command: string, cwd: string, env: Environment): Promise<Outcome> {
  const [program = '', ...argv] = command.split(' ');
  const settings = {
    cwd,
    env,
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: patienceMs,
  } as const;
  const { exitCode, all } = await execa(program, argv, settings);
  return { exitCode, output: all };
}

/** A process that runs until Ctrl-C. */
export interface Running {
  /** Its ready event. */
  readonly ready: { readonly tokenFile?: string };
  readonly sketchesRun: (count: number) => Promise<readonly string[]>;
  readonly stop: () => Promise<void>;
}

/** Starts a process and waits for its ready event. */
export async function startAndWait(command: string, cwd: string, env: Environment): Promise<Running> {
  const [program = '', ...argv] = command.split(' ');
  // A separate process group: like Ctrl-C in a terminal, a signal then reaches npx and its child processes.
  const settings = { cwd, env, extendEnv: false, reject: false, buffer: false, detached: true } as const;
  const process = execa(program, [...argv, '--json'], settings);
  let output = '';
  const ready = await new Promise<string>((tell, fail) => {
    process.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const line = /^.*"event":"ready".*\n/m.exec(output)?.[0];
      if (line !== undefined) tell(line);
    });
    process.once('exit', () => fail(new Error(`${command} ended: ${output}`)));
  });
  return {
    ready: JSON.parse(ready) as Running['ready'],
    sketchesRun: async (count) => {
      const sketches = () => [
        ...new Set([...output.matchAll(/"event":"boot".*"sketchMd5":"(\w+)"/g)].map(([, md5 = '']) => md5)),
      ];
      const retryPolicy = AbortSignal.timeout(patienceMs);
      while (sketches().length < count) await once(process.stdout, 'data', { signal: retryPolicy });
      return sketches();
    },
    stop: async () => {
      const { pid, exitCode } = process;
      if (pid !== undefined && exitCode === null) globalThis.process.kill(-pid, 'SIGINT');
      await process;
    },
  };
}
