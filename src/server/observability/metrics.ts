import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Counters } from './counters.ts';

/** Registers the counters with Prometheus. The returned function renders their current values. */
export function makeMetrics(
  counters: Counters,
  downloads: { readonly active: number },
): () => Promise<{ type: string; text: string }> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const total = (name: string, help: string, value: () => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  const totals = (name: string, help: string, label: string, values: ReadonlyMap<number | string, number>) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [key, value] of values) this.inc({ [label]: key }, value);
      },
    });

  totals('ota_device_answers_total', 'Responses to devices, by HTTP status', 'status', counters.answers);
  totals(
    'ota_decisions_total',
    'Update decisions, by code; repeated update checks are not counted',
    'code',
    counters.decisions,
  );
  total('ota_downloads_received_total', 'Complete downloads', () => counters.downloadsReceived);
  total('ota_downloads_broken_total', 'Incomplete downloads', () => counters.downloadsBroken);
  total('ota_over_capacity_total', 'Update checks deferred because the server was busy', () => counters.overCapacity);
  total('ota_sent_bytes_total', 'Bytes of complete downloads', () => counters.bytesSent);
  total('ota_publications_total', 'Published releases', () => counters.publications);
  total('ota_updates_total', 'Updates after which the device runs the release', () => counters.updates);
  totals('ota_update_failures_total', 'Failed updates, by how they failed', 'how', counters.failedUpdates);
  total('ota_updates_blocked_total', 'Updates blocked by preflight rules', () => counters.blockedUpdates);
  total('ota_rollout_halts_total', 'Halted rollouts', () => counters.rolloutHalts);
  total('ota_failures_total', 'Requests that failed because of a server error', () => counters.failures);
  total('ota_refused_connections_total', 'Connections rejected because of a limit', () => counters.refusedConnections);
  new Gauge({
    name: 'ota_downloads_active',
    help: 'Active downloads',
    registers: [registry],
    collect() {
      this.set(downloads.active);
    },
  });
  return async () => ({ type: registry.contentType, text: await registry.metrics() });
}
