import { Gauge, type Registry } from 'prom-client';
import { rolloutStates } from '../../api/rollout.ts';
import { type FleetCounts, memberStates, type RolloutCounts } from '../services/fleet-counts.ts';

/** Adds gauges with the state of the devices and rollouts to a registry that is used for one response. */
export function addFleetGauges(registry: Registry, states: readonly FleetCounts[]): void {
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const devices = gauge('ota_devices', 'Devices, by status', ['project', 'status']);
  const running = gauge('ota_devices_running', 'Devices, by the release that they run', ['project', 'version']);
  const blocked = gauge('ota_devices_blocked', 'Blocked devices, by what blocks them', ['project', 'rule']);
  for (const { project, statuses, versions, blockers } of states) {
    for (const { status, devices: count } of statuses) devices.set({ project, status }, count);
    for (const { version, devices: count } of versions) running.set({ project, version }, count);
    for (const { blocker, devices: count } of blockers) blocked.set({ project, rule: blocker }, count);
  }

  const names = ['project', 'channel', 'version'] as const;
  const state = gauge('ota_rollout_state', 'State of the newest rollout on a channel: 1 for its state, 0 for others', [
    ...names,
    'state',
  ]);
  const stalled = gauge(
    'ota_rollout_stalled',
    '1 if the rollout is active, but has not updated a device for too long',
    names,
  );
  const stages = gauge('ota_rollout_stages', 'Stages of the rollout', names);
  const open = gauge('ota_rollout_open_stages', 'Open stages of the rollout', names);
  const members = gauge('ota_rollout_devices', 'Devices of the rollout, by progress', [...names, 'state']);
  for (const { labels, rollout } of states.flatMap(labeledRollouts)) {
    for (const each of rolloutStates) state.set({ ...labels, state: each }, rollout.state === each ? 1 : 0);
    stalled.set(labels, rollout.isStalled ? 1 : 0);
    stages.set(labels, rollout.stages);
    open.set(labels, rollout.openStages);
    for (const each of memberStates) members.set({ ...labels, state: each }, rollout.devices[each]);
  }
}

function labeledRollouts({ project, rollouts }: FleetCounts) {
  return rollouts.map((rollout: RolloutCounts) => {
    const { channel, version } = rollout;
    return { labels: { project, channel, version }, rollout };
  });
}
