import type { DeviceRolloutInfo } from '../../../api/rollout-info.ts';
import { toolVersion } from '../../../version.ts';
import type { DeviceRecord, ReleaseRecord, RolloutRecord } from '../../storage/records.ts';
import type { EntityTopics, Topics } from './topics.ts';

/**
 * Messages for Home Assistant's MQTT integration. The formats are documented at https://www.home-assistant.io/integrations/mqtt/ (discovery),
 * https://www.home-assistant.io/integrations/update.mqtt/ and https://www.home-assistant.io/integrations/binary_sensor.mqtt/.
 */

export const online = 'online';
export const offline = 'offline';
/** Payload of the command with which a person installs an update. */
export const installCommand = 'install';

/** Home Assistant shows at most 255 characters of a summary. */
const mostSummaryCharacters = 255;

/** Device as its entity shows it. */
export interface ShownDevice {
  readonly record: DeviceRecord;
  /** Version from the last report of the device. */
  readonly reportedVersion: string | undefined;
  /** Release that the device would be sent if a person installed it now; undefined if there is none. */
  readonly target: ReleaseRecord | undefined;
  /** State of the device in the rollout on its channel. */
  readonly rollout: DeviceRolloutInfo | undefined;
  /** Release notes of the target (Markdown, which Home Assistant renders). */
  readonly notes?: string | undefined;
}

/** Returns the discovery message of a device's update entity. */
export function deviceDiscovery({ record, target }: ShownDevice, topics: Topics, mayInstall: boolean): string {
  const { project, mac, name = `${project} ${mac}`, board = target?.board || undefined } = record;
  const { id, state, command } = topics.ofDevice(record);
  return JSON.stringify({
    ...entity({ id, state }, topics),
    name: 'Firmware',
    device_class: 'firmware',
    ...(mayInstall && { command_topic: command, payload_install: installCommand }),
    device: { identifiers: [id], name, model: board },
  });
}

/** Returns the version that an entity shows as the latest; undefined if neither a release nor the running build is known. */
export function latestVersion({ record, reportedVersion, target }: ShownDevice): string | undefined {
  return target?.version ?? installedVersion({ record, reportedVersion });
}

function installedVersion({
  record,
  reportedVersion,
}: Pick<ShownDevice, 'record' | 'reportedVersion'>): string | undefined {
  return record.running?.version ?? reportedVersion;
}

/**
 * Returns the state of a device's update entity. Home Assistant discards a state with an unknown field or with null instead of text, and keeps
 * the previous value of a field that is missing.
 */
export function deviceState(device: ShownDevice): string {
  const { record } = device;
  const sketch = record.attempts.find(({ kind }) => kind === 'sketch');
  return JSON.stringify({
    installed_version: installedVersion(device),
    latest_version: latestVersion(device),
    title: record.project,
    release_summary: shortened(summary(device)),
    in_progress: sketch?.state === 'sent' || sketch?.state === 'received',
    // The server does not know how much of a download a device has written.
    update_percentage: null,
  });
}

/** Describes why the device does not run the latest version, what the release changes, and where it comes from. */
function summary({ record, target, rollout, notes }: ShownDevice): string {
  const { install, decisions } = record;
  const { sketch } = decisions;
  const request = install && `Requested: ${install.version} is sent at the next update check.`;
  const isAbout = sketch?.version === undefined || sketch.version === target?.version;
  const problem = sketch?.action === 'none' && isAbout ? sketch.text : undefined;
  const reason = request ?? problem ?? waiting(rollout, target);
  const release = target && [origin(target), ...(notes === undefined ? [] : [notes])].join('\n\n');
  return [reason, release].filter((text) => text !== undefined).join(' ');
}

function waiting(rollout: DeviceRolloutInfo | undefined, target: ReleaseRecord | undefined): string | undefined {
  if (rollout?.version !== target?.version || rollout?.progress !== 'pending' || rollout.isOpen) return undefined;
  return `Waiting for stage ${rollout.stage} of ${rollout.stages} of the rollout.`;
}

function origin({ publishedAt, manifest }: ReleaseRecord): string {
  const { sourceCommit } = manifest;
  const commit = sourceCommit === undefined ? '' : ` from commit ${sourceCommit.slice(0, 12)}`;
  return `Published ${new Date(publishedAt).toISOString().slice(0, 10)}${commit}.`;
}

function shortened(text: string): string {
  return text.length <= mostSummaryCharacters ? text : `${text.slice(0, mostSummaryCharacters - 1)}…`;
}

/** Returns the discovery message of a project's sensor for halted rollouts. */
export function projectDiscovery(project: string, topics: Topics): string {
  const { id, state } = topics.ofProject(project);
  return JSON.stringify({
    ...entity({ id, state }, topics),
    name: 'Rollout halted',
    device_class: 'problem',
    value_template: '{{ value_json.state }}',
    json_attributes_topic: state,
    json_attributes_template: '{{ value_json.attributes | tojson }}',
    device: { identifiers: [id], name: `ota-hooks ${project}` },
  });
}

/** Returns the state of a project's sensor: `ON` while a rollout is halted. */
export function projectState(rollouts: readonly RolloutRecord[]): string {
  const halted = rollouts.filter(({ state }) => state === 'halted');
  return JSON.stringify({
    state: halted.length > 0 ? 'ON' : 'OFF',
    attributes: {
      halted: halted.map(({ id, version, channel, reason }) => ({ rollout: id, version, channel, reason })),
    },
  });
}

function entity({ id, state }: Pick<EntityTopics, 'id' | 'state'>, { availability }: Topics) {
  return {
    unique_id: id,
    state_topic: state,
    availability_topic: availability,
    payload_available: online,
    payload_not_available: offline,
    qos: 1,
    origin: { name: 'ota-hooks', sw_version: toolVersion },
  };
}
