import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Program } from '../engines/program.ts';
import type { Outage } from './log.ts';

const restartAfterMs = 300;
const readyWithinMs = 60_000;

interface ServerProcessOptions {
  readonly name: string;
  readonly port: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Built command line. */
  readonly cli: string;
  /** Called when the server ends although it was not killed. */
  readonly onEnd: (text: string) => void;
}

export const builtCli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** A server in its own process, which is started again whenever it ends, as systemd does. */
export class ServerProcess {
  readonly name: string;
  readonly outages: Outage[] = [];
  /** Last lines of the server's output, for the report of a failed run. */
  lastOutput = '';
  #running: Program | undefined;
  #isStopping = false;
  #isKilled = false;
  readonly #options: ServerProcessOptions;

  constructor(options: ServerProcessOptions) {
    this.name = options.name;
    this.#options = options;
    this.#start();
  }

  get pid(): number {
    return this.#running?.pid ?? 0;
  }

  get output(): string {
    return this.#running?.output ?? '';
  }

  /** Waits until /readyz returns 200. @throws Error with the server's output */
  async untilReady(): Promise<void> {
    const endsAt = Date.now() + readyWithinMs;
    while (!this.#isStopping && !(await this.#isReady())) {
      if (Date.now() > endsAt) throw new Error(`${this.name} is not ready:\n${this.output}\n${this.lastOutput}`);
      await pause(50);
    }
  }

  /** Kills the process with SIGKILL, and waits until its successor is ready. */
  async kill(): Promise<void> {
    const from = Date.now();
    this.#isKilled = true;
    this.#running?.kill('SIGKILL');
    await this.#running?.ended;
    await this.untilReady();
    this.outages.push({ component: 'process', server: this.name, from, to: Date.now() });
  }

  /** @returns exit code or signal */
  async stop(): Promise<number | NodeJS.Signals | null | undefined> {
    this.#isStopping = true;
    await this.#running?.stop();
    return this.#running?.ended;
  }

  #start(): void {
    const { cli, port, argv, env } = this.#options;
    const words = [cli, 'serve', '--listen', `127.0.0.1:${port}`, '--json', '--grace', '2', ...argv];
    const program = new Program(process.execPath, words, { env });
    this.#running = program;
    program.ended.then(async (how) => {
      this.lastOutput = program.output;
      if (this.#isStopping) return;
      if (!this.#isKilled) this.#options.onEnd(`${this.name} ended (${how}): ${program.output.slice(0, 300)}`);
      this.#isKilled = false;
      await pause(restartAfterMs);
      if (!this.#isStopping) this.#start();
    });
  }

  async #isReady(): Promise<boolean> {
    try {
      const url = `http://127.0.0.1:${this.#options.port}/readyz`;
      const response = await fetch(url, { signal: AbortSignal.timeout(2000), headers: { connection: 'close' } });
      await response.arrayBuffer();
      return response.status === 200;
    } catch {
      return false;
    }
  }
}
