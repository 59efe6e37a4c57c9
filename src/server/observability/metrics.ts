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

  totals('ota_device_answers_total', 'Answers to devices, by HTTP status', 'status', counters.answers);
  totals('ota_decisions_total', 'Decisions that were made anew, by their code', 'code', counters.decisions);
  total('ota_downloads_received_total', 'Downloads that a device took to the end', () => counters.downloadsReceived);
  total('ota_downloads_broken_total', 'Downloads that ended early', () => counters.downloadsBroken);
  total('ota_over_capacity_total', 'Devices that were put off', () => counters.overCapacity);
  total('ota_sent_bytes_total', 'Bytes of artifacts that were sent to the end', () => counters.bytesSent);
  total('ota_publications_total', 'Releases that were published', () => counters.publications);
  total('ota_failures_total', 'Requests that failed through a mistake of the server', () => counters.failures);
  total('ota_refused_connections_total', 'Connections beyond the limits', () => counters.refusedConnections);
  new Gauge({
    name: 'ota_downloads_active',
    help: 'Downloads under way',
    registers: [registry],
    collect() {
      this.set(downloads.active);
    },
  });
  return async () => ({ type: registry.contentType, text: await registry.metrics() });
}
