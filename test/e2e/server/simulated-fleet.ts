import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import type { SimulatorEvent } from '../../../src/simulator/events.ts';

/** An event, with the time when it was read, in milliseconds since 1970; the event happened at this time or earlier. */
type Heard = SimulatorEvent & { readonly heardAt: number };

/** `ota-hooks simulate --json --verbose` in its own process, and the events that its devices have reported. */
export class SimulatedFleet {
  readonly events: Heard[] = [];
  #wake: () => void = () => undefined;

  private constructor() {}

  /** Starts the process, which ends with the test. */
  static start(t: ExecutionContext, cli: string, cwd: string, options: readonly string[]): SimulatedFleet {
    const fleet = new SimulatedFleet();
    const argv = [cli, 'simulate', '--json', '--verbose', ...options];
    const child = execa(process.execPath, argv, { cwd, reject: false, buffer: false, stderr: 'inherit' });
    t.teardown(async () => {
      child.kill('SIGINT');
      await child;
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      fleet.events.push({ ...JSON.parse(line), heardAt: Date.now() });
      fleet.#wake();
    });
    return fleet;
  }

  /** MACs of the devices with a matching event. */
  macs(matches: (event: Heard) => boolean): ReadonlySet<string> {
    return new Set(this.events.filter(matches).map(({ mac }) => mac));
  }

  /** Waits until `isEnough` returns true. @throws Error after `patienceMs` */
  async until(isEnough: () => boolean, what: string, patienceMs = 480_000): Promise<void> {
    const end = Date.now() + patienceMs;
    while (!isEnough()) {
      if (Date.now() > end) throw new Error(`${what}: not within ${patienceMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, end - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Waits until each device has completed two more update checks without an update. The first check may already have been in progress. */
  async checkInWithoutUpdate(macs: Iterable<string>): Promise<void> {
    const waiting = new Map([...macs].map((mac) => [mac, 2]));
    let read = this.events.length;
    await this.until(() => {
      for (; read < this.events.length; read++) {
        const event = this.events[read];
        if (event?.event !== 'checked') continue;
        const left = (waiting.get(event.mac) ?? 0) - 1;
        if (left > 0) waiting.set(event.mac, left);
        else waiting.delete(event.mac);
      }
      return waiting.size === 0;
    }, 'each device completed two update checks without an update');
  }
}
