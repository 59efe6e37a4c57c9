import { once } from 'node:events';
import { execa } from 'execa';

type Environment = Readonly<Record<string, string>>;

/** It only ends a command that hangs: AVA's time-out for end-to-end tests is longer. */
const patienceMs = 480_000;

/** How a command ended. */
export interface Outcome {
  readonly exitCode: number | undefined;
  /** What was shown. */
  readonly output: string;
}

const question = /(?:Do this\?|Take back what init did|Do you build in the Arduino IDE)/g;

/** Runs a command as one at a terminal does (`script` of util-linux makes one), and answers each question with Enter. */
export async function runAtTerminal(command: string, cwd: string, env: Environment): Promise<Outcome> {
  // Without a size, the terminal would be no columns wide.
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
  let answered = 0;
  process.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    const asked = new Set(output.match(question)).size;
    for (; answered < asked; answered += 1) process.stdin.write('\r');
  });
  const { exitCode, timedOut } = await process;
  return { exitCode: timedOut ? undefined : exitCode, output };
}

/** Runs a command as a program does that was started from a desktop: nobody answers, and there is no terminal. */
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

/** What goes on until Ctrl-C. */
export interface Running {
  /** How it said that it is ready. */
  readonly ready: { readonly token?: string };
  readonly sketchesRun: (count: number) => Promise<readonly string[]>;
  readonly stop: () => Promise<void>;
}

/** Starts it, and waits until it is ready. */
export async function startAndWait(command: string, cwd: string, env: Environment): Promise<Running> {
  const [program = '', ...argv] = command.split(' ');
  // A group of its own: Ctrl-C at a terminal reaches npx and what it has started.
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
      const patience = AbortSignal.timeout(patienceMs);
      while (sketches().length < count) await once(process.stdout, 'data', { signal: patience });
      return sketches();
    },
    stop: async () => {
      const { pid, exitCode } = process;
      if (pid !== undefined && exitCode === null) globalThis.process.kill(-pid, 'SIGINT');
      await process;
    },
  };
}
