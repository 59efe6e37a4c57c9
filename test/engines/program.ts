import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { untilListening } from '../../bench/server/ready.ts';

const lastLines = 40;
const endsWithinMs = 30_000;

interface ProgramOptions {
  /** Debian user that runs the program, if this process runs as root. */
  readonly user?: string | undefined;
  /** Signal that ends the program in an orderly way. */
  readonly stopSignal?: NodeJS.Signals;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program of the test's own. The kernel ends it when the test process ends, even if that process is killed. */
export class Program {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #stopSignal: NodeJS.Signals;
  readonly #name: string;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  /** Resolves when the program has ended, with its exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  /** Starts a program by its argv list. */
  constructor(
    program: string,
    argv: readonly string[],
    { user, stopSignal = 'SIGTERM', cwd, env = {} }: ProgramOptions = {},
  ) {
    const isOtherUser = user !== undefined && process.getuid?.() === 0;
    const as = isOtherUser ? ['--reuid', user, '--regid', user, '--init-groups'] : [];
    const words = [...as, '--pdeathsig', stopSignal.replace('SIG', ''), '--', program, ...argv];
    this.#name = program;
    this.#stopSignal = stopSignal;
    // setpriv(1) replaces itself with the program, so its PID is the PID of the program.
    this.#child = spawn('setpriv', words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(cwd !== undefined && { cwd }),
    });
    this.pid = this.#child.pid ?? 0;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve(null));
      this.#child.once('exit', (code, signal) => resolve(code ?? signal));
    });
  }

  /** Last lines of the output. */
  get output(): string {
    return this.#lines.join('\n');
  }

  /** Waits until the program has written a matching line. @throws Error with the output if the program ends before */
  async untilLine(pattern: RegExp, withinMs = endsWithinMs): Promise<string> {
    const earlier = this.#lines.find((line) => pattern.test(line));
    if (earlier !== undefined) return earlier;
    return new Promise((resolve, reject) => {
      const end = (result: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        result();
      };
      const listener = (line: string) => pattern.test(line) && end(() => resolve(line));
      const fail = (why: string) => end(() => reject(new Error(`${this.#name} ${why}:\n${this.output}`)));
      const timer = setTimeout(() => fail(`did not write ${pattern} within ${withinMs} ms`), withinMs);
      this.#listeners.add(listener);
      this.ended.then((how) => fail(`ended (${how})`));
    });
  }

  /** Waits until the program listens on the port. @throws Error with the output if the program ends before */
  async untilListening(port: number): Promise<void> {
    const failed = this.ended.then((how) => {
      throw new Error(`${this.#name} ended (${how}):\n${this.output}`);
    });
    await Promise.race([untilListening(port), failed]);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the program with its signal, and with SIGKILL if it does not end within 30 s. */
  async stop(signal: NodeJS.Signals = this.#stopSignal): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    const last = setTimeout(() => this.#child.kill('SIGKILL'), endsWithinMs);
    await ended;
    clearTimeout(last);
  }

  #read(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > lastLines) this.#lines.shift();
    for (const listener of [...this.#listeners]) listener(line);
  }
}
