import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { FleetCounts } from '../services/fleet-counts.ts';
import type { DataPart, Outage } from '../services/outage.ts';
import { type Counters, countersOf, type EventCounters } from './counters.ts';
import { addFleetGauges } from './fleet-gauges.ts';
import { addWebhookGauges, type PendingEvents } from './webhook-gauges.ts';

const dataParts: readonly DataPart[] = ['database', 'bucket'];

/** Metrics in Prometheus format. */
export interface MetricsText {
  readonly type: string;
  readonly text: string;
}

/** Sources of the metrics. */
interface MetricSources {
  readonly counters: Counters;
  readonly downloads: { readonly active: number };
  /** Reads the state of the devices and rollouts of all projects, or of one. */
  readonly fleet: (project?: string) => Promise<readonly FleetCounts[]>;
  /** Reads the webhooks with pending events. */
  readonly webhooks: () => Promise<ReadonlyMap<number, PendingEvents>>;
  readonly outage: Pick<Outage, 'isOngoing'>;
}

/**
 * Registers the counters with Prometheus. The returned function renders their current values and the state of the fleet: of the whole server,
 * or only of one project.
 */
export function makeMetrics({
  counters,
  downloads,
  webhooks,
  fleet,
  outage,
}: MetricSources): (project?: string) => Promise<MetricsText> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { total, totals } = countersIn(registry);
  totals('ota_device_responses_total', 'Responses to devices, by HTTP status', 'status', counters.responses);
  totals('ota_decisions_total', 'Update decisions, by code', 'code', counters.decisions);
  total('ota_downloads_completed_total', 'Complete downloads', () => counters.downloadsCompleted);
  total('ota_downloads_interrupted_total', 'Incomplete downloads', () => counters.downloadsInterrupted);
  total('ota_over_capacity_total', 'Update checks deferred because the server was busy', () => counters.overCapacity);
  total(
    'ota_new_devices_deferred_total',
    'Update checks of new devices deferred because of the rate limit per network',
    () => counters.newDevicesDeferred,
  );
  total('ota_sent_bytes_total', 'Bytes of complete downloads', () => counters.bytesSent);
  addEventCounters(registry, counters);
  total('ota_failures_total', 'Requests that failed because of a server error', () => counters.failures);
  total(
    'ota_rejected_connections_total',
    'Connections rejected because of a limit',
    () => counters.rejectedConnections,
  );
  totals('ota_access_rejected_total', 'Rejected tokens and logins, by kind', 'kind', counters.rejectedAccess);
  new Gauge({
    name: 'ota_downloads_active',
    help: 'Active downloads',
    registers: [registry],
    collect() {
      this.set(downloads.active);
    },
  });
  new Gauge({
    name: 'ota_data_available',
    help: 'Whether the database and the bucket (or the data folder) respond',
    labelNames: ['part'],
    registers: [registry],
    collect() {
      for (const part of dataParts) this.set({ part }, outage.isOngoing(part) ? 0 : 1);
    },
  });
  return async (project) => {
    const counts = project === undefined ? registry : projectRegistry(countersOf(counters, project));
    const gauges = new Registry();
    addFleetGauges(gauges, await fleet(project));
    if (project === undefined) addWebhookGauges(gauges, await webhooks(), Date.now());
    return { type: counts.contentType, text: (await counts.metrics()) + (await gauges.metrics()) };
  };
}

/** Counts of one project. They exclude the server load and the counts of other projects. */
function projectRegistry(counters: EventCounters): Registry {
  const registry = new Registry();
  addEventCounters(registry, counters);
  return registry;
}

function addEventCounters(registry: Registry, counters: EventCounters): void {
  const { total, totals } = countersIn(registry);
  total('ota_publications_total', 'Published releases', () => counters.publications);
  total('ota_updates_total', 'Updates after which the device runs the release', () => counters.updates);
  totals('ota_update_failures_total', 'Failed updates, by type of failure', 'how', counters.failedUpdates);
  total('ota_updates_blocked_total', 'Updates blocked by preflight rules', () => counters.blockedUpdates);
  total('ota_rollout_halts_total', 'Halted rollouts', () => counters.rolloutHalts);
}

/** Returns functions that register counters whose values are read when the metrics are requested. */
function countersIn(registry: Registry) {
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
  return { total, totals };
}
