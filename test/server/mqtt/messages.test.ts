import test from 'ava';
import fc from 'fast-check';
import type { DeviceRolloutInfo } from '../../../src/api/rollout-info.ts';
import {
  deviceDiscovery,
  deviceState,
  latestVersion,
  projectDiscovery,
  projectState,
  type ShownDevice,
} from '../../../src/server/services/mqtt/messages.ts';
import { topicsOf } from '../../../src/server/services/mqtt/topics.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { Attempt, DecisionRecord, ReleaseRecord, RolloutRecord } from '../../../src/server/storage/records.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { testBuild } from '../builds.ts';
import { requireHomeAssistantMessage, type UpdateDiscovery, type UpdateState } from './home-assistant.ts';

const topics = topicsOf('1a2b3c4d');
const mac = '18:FE:34:AA:BB:CC';
const { manifest } = await testBuild({ sizeBytes: 8192 });
const target: ReleaseRecord = {
  ...{ id: 2, project: 'door', version: '2.0', kind: 'sketch', board: 'd1_mini', purpose: 'serve' },
  publishedAt: Date.UTC(2026, 4, 3),
  manifest: { ...manifest, sourceCommit: 'a'.repeat(40) },
};

function shown(more: Partial<ShownDevice['record']> = {}, rest: Partial<ShownDevice> = {}): ShownDevice {
  const record = { ...newRecord('door', mac), ...more };
  return { record, reportedVersion: undefined, target, rollout: undefined, ...rest };
}

/** Returns the state of a device, which Home Assistant must accept. */
function stateOf(device: ShownDevice): UpdateState {
  const text = deviceState(device);
  requireHomeAssistantMessage(topics.ofDevice(device.record).state, text);
  return JSON.parse(text);
}

function discoveryOf(device: ShownDevice, mayInstall = false): UpdateDiscovery {
  const text = deviceDiscovery(device, topics, mayInstall);
  requireHomeAssistantMessage(topics.ofDevice(device.record).discovery, text);
  return JSON.parse(text);
}

const running = { by: 'md5', version: '1.0', releaseId: 1 } as const;

test('shows the installed version and the release that the device would be sent', (t) => {
  t.deepEqual(stateOf(shown({ running })), {
    installed_version: '1.0',
    latest_version: '2.0',
    title: 'door',
    release_summary: 'Published 2026-05-03 from commit aaaaaaaaaaaa.',
    in_progress: false,
    update_percentage: null,
  });
  t.like(stateOf(shown({ running }, { target: undefined })), { latest_version: '1.0', release_summary: '' });
  t.is(stateOf(shown({}, { reportedVersion: '0.9' })).installed_version, '0.9');
});

test('shows the notes of the release below its origin', (t) => {
  const notes = 'Fixes **Wi-Fi**.';
  const published = 'Published 2026-05-03 from commit aaaaaaaaaaaa.';
  t.is(stateOf(shown({ running }, { notes })).release_summary, `${published}\n\n${notes}`);
  t.is(stateOf(shown({ running }, { notes, target: undefined })).release_summary, '');
});

test('omits the versions of a device about which nothing is known, because null is not permitted', (t) => {
  const unknown = shown({}, { target: undefined });
  t.is(latestVersion(unknown), undefined);
  t.deepEqual(Object.keys(stateOf(unknown)), ['title', 'release_summary', 'in_progress', 'update_percentage']);
});

const attempt: Attempt = {
  ...{ releaseId: 2, version: '2.0', kind: 'sketch', state: 'sent', sends: 1, receipts: 0, interruptions: 0 },
  ...{ lastSentAt: 1, dueMs: 1, sentMs: 1, from: { address: '192.0.2.7', authenticated: false } },
};

test('shows an update as in progress from the download until the device runs it or fails', (t) => {
  const states = ['sent', 'received', 'interrupted', 'running', 'failed'] as const;
  const inProgress = states.filter((state) => stateOf(shown({ attempts: [{ ...attempt, state }] })).in_progress);
  t.deepEqual(inProgress, ['sent', 'received']);
  t.false(stateOf(shown({ attempts: [{ ...attempt, kind: 'filesystem' }] })).in_progress);
});

test('summarizes why the device does not run the latest version, in at most 255 characters', (t) => {
  const none: DecisionRecord = { action: 'none', code: 'blocked no-space', text: '2.0 blocked: no space.', at: 1 };
  const withDecision = (sketch: DecisionRecord) => stateOf(shown({ decisions: { sketch } })).release_summary;
  t.is(
    withDecision({ ...none, version: '2.0' }),
    '2.0 blocked: no space. Published 2026-05-03 from commit aaaaaaaaaaaa.',
  );
  t.is(withDecision({ ...none, version: '1.9' }), 'Published 2026-05-03 from commit aaaaaaaaaaaa.', 'an older release');
  t.is(withDecision({ ...none, text: 'x'.repeat(300) })?.length, 255);
  const install = { version: '2.0', kinds: ['sketch'] as const };
  t.regex(stateOf(shown({ install })).release_summary ?? '', /^Requested: 2\.0 is sent at the next update check\./);
  const rollout: DeviceRolloutInfo = {
    rollout: 1,
    version: '2.0',
    state: 'active',
    stage: 3,
    stages: 3,
    isOpen: false,
    counts: true,
    progress: 'pending',
    failure: undefined,
  };
  t.regex(stateOf(shown({}, { rollout })).release_summary ?? '', /^Waiting for stage 3 of 3 of the rollout\./);
  for (const other of [{ isOpen: true }, { version: '1.9' }, { progress: 'running' }] as const) {
    t.regex(stateOf(shown({}, { rollout: { ...rollout, ...other } })).release_summary ?? '', /^Published/);
  }
});

test('offers to install only if clients may do so', (t) => {
  const { command } = topics.ofDevice({ project: 'door', mac });
  t.like(discoveryOf(shown(), true), { command_topic: command, payload_install: 'install' });
  t.false('command_topic' in discoveryOf(shown()));
  t.deepEqual(topics.deviceOfCommand(command), { project: 'door', mac });
  for (const topic of [`${command}/x`, command.replace('install', 'state'), command.replace('1a2b', '0000'), '']) {
    t.is(topics.deviceOfCommand(topic), undefined, topic);
  }
});

test('names devices and projects with any characters, and never publishes network addresses', (t) => {
  const name = 'Tür "1" +/# {{ 1 }} \\ \u2028';
  t.is(discoveryOf(shown({ name })).device.name, name);
  t.like(discoveryOf(shown()), { device: { name: `door ${mac}`, model: 'd1_mini' } });
  t.is(discoveryOf(shown({ board: 'nodemcu' })).device.model, 'nodemcu');
  const seen = shown({
    attempts: [attempt],
    running: { ...running, from: { address: '192.0.2.7', authenticated: true } },
  });
  t.notRegex(deviceState(seen) + deviceDiscovery(seen, topics, true), /192\.0\.2\.7/);
});

test('the topics of different devices differ, and lead back to the device', (t) => {
  const names = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
  const macs = fc.stringMatching(/^[0-9A-F]{2}(?::[0-9A-F]{2}){5}$/);
  const keys = fc.record({ project: names, mac: macs });
  fc.assert(
    fc.property(keys, keys, (one, other) => {
      const { discovery, command } = topics.ofDevice(one);
      t.deepEqual(topics.deviceOfDiscovery(discovery), one);
      t.deepEqual(topics.deviceOfCommand(command), one);
      requireHomeAssistantMessage(discovery, deviceDiscovery(shown(one), topics, true));
      requireHomeAssistantMessage(topics.ofProject(one.project).discovery, projectDiscovery(one.project, topics));
      const isSame = one.project === other.project && one.mac === other.mac;
      t.is(discovery === topics.ofDevice(other).discovery, isSame);
      const filters = topics.discoveryFilters.filter((filter) => matches(filter, discovery));
      t.is(filters.length, 1);
    }),
    propertyRuns(50, 5000),
  );
  t.is(topics.deviceOfDiscovery(topicsOf('00000000').ofDevice({ project: 'door', mac }).discovery), undefined);
});

function matches(filter: string, topic: string): boolean {
  const [levels, found] = [filter.split('/'), topic.split('/')];
  return levels.length === found.length && levels.every((level, index) => level === '+' || level === found[index]);
}

test('the sensor of a project is on while one of its rollouts is halted', (t) => {
  // Only these fields are published.
  const rollout = { id: 7, version: '2.0', channel: 'stable', state: 'active', reason: undefined } as RolloutRecord;
  const of = (...rollouts: readonly RolloutRecord[]) => {
    const text = projectState(rollouts);
    requireHomeAssistantMessage(topics.ofProject('door').state, text);
    return JSON.parse(text);
  };
  t.deepEqual(of(), { state: 'OFF', attributes: { halted: [] } });
  for (const state of ['active', 'paused', 'complete', 'aborted', 'rolled-back'] as const) {
    t.is(of({ ...rollout, state }).state, 'OFF', state);
  }
  t.deepEqual(of(rollout, { ...rollout, id: 8, channel: 'beta', state: 'halted', reason: 'smoke' }), {
    state: 'ON',
    attributes: { halted: [{ rollout: 8, version: '2.0', channel: 'beta', reason: 'smoke' }] },
  });
});
