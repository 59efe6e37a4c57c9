import { setTimeout as pause } from 'node:timers/promises';
import type { Outage } from './log.ts';
import type { World } from './world.ts';

const killEveryMs = 3000;
const blobOutageMs = 10_000;
const networkOutageMs = 6000;

/** Times of the faults, as shares of the run. */
const plan = [
  { at: 0.15, fault: 'restart-database' },
  { at: 0.35, fault: 'stop-blobs' },
  { at: 0.6, fault: 'drop-network' },
  { at: 0.75, fault: 'cut-network' },
  { at: 0.88, fault: 'crash-database' },
] as const;

/** Injects faults for the duration of a run. */
export class Faults {
  readonly #world: World;
  readonly #outages: Outage[] = [];
  kills = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get outages(): readonly Outage[] {
    return [...this.#outages, ...this.#world.servers.flatMap(({ outages }) => outages)];
  }

  async run(durationMs: number, report: (text: string) => void): Promise<void> {
    const endsAt = Date.now() + durationMs;
    await Promise.all([this.#killInTurn(endsAt, report), this.#followPlan(durationMs, report)]);
  }

  /** Kills the servers in turn. The next kill waits until the killed server is ready again. */
  async #killInTurn(endsAt: number, report: (text: string) => void): Promise<void> {
    for (let turn = 0; ; turn++) {
      const next = Date.now() + killEveryMs;
      // The last kill leaves time for the recovery.
      if (next > endsAt - killEveryMs) return;
      const server = this.#world.servers[turn % 2 === 0 ? 0 : 1];
      const killedAt = Date.now();
      await server.kill();
      this.kills++;
      report(`${server.name} is ready ${Date.now() - killedAt} ms after a kill`);
      await pause(Math.max(0, next - Date.now()));
    }
  }

  async #followPlan(durationMs: number, report: (text: string) => void): Promise<void> {
    const startedAt = Date.now();
    for (const { at, fault } of plan) {
      await pause(Math.max(0, startedAt + at * durationMs - Date.now()));
      report(fault);
      await this.#inject(fault);
    }
  }

  async #inject(fault: (typeof plan)[number]['fault']): Promise<void> {
    const { cluster, s3, network } = this.#world;
    switch (fault) {
      case 'restart-database':
      case 'crash-database':
        return this.#during({ component: 'database' }, async () => {
          await cluster.stop(fault === 'restart-database' ? 'fast' : 'immediate');
          await cluster.start();
        });
      case 'stop-blobs':
        return this.#during({ component: 'blobs' }, async () => {
          await s3.cut();
          await pause(blobOutageMs);
          await s3.restore();
        });
      case 'drop-network':
      case 'cut-network':
        return this.#during({ component: 'network', server: 's2' }, async () => {
          await network.cut(fault === 'drop-network' ? 'drop' : 'refuse');
          await pause(networkOutageMs);
          await network.restore();
        });
    }
  }

  async #during(outage: Pick<Outage, 'component' | 'server'>, work: () => Promise<void>): Promise<void> {
    const from = Date.now();
    await work();
    this.#outages.push({ ...outage, from, to: Date.now() });
  }
}
