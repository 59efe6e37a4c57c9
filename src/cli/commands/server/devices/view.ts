import {
  attemptStateWords,
  type CredentialState,
  type DecisionInfo,
  type DeviceInfo,
  unknownLastSeen,
} from '../../../../api/admin-info.ts';
import { type DeviceRolloutInfo, memberStatusWords } from '../../../../api/rollout-info.ts';
import { rejectionText } from '../../../../core/model/guard-rejection.ts';
import { counted } from '../../../../core/model/quantity-text.ts';
import { table } from '../../../output/table.ts';
import { properties, type TextBlock } from '../../../output/text-block.ts';
import { agoOf } from '../../../output/time-text.ts';

/** Formats devices as a table with one line per device. */
export function deviceTable(devices: readonly DeviceInfo[]): TextBlock {
  const isWithCredentials = devices.some(({ credentials }) => credentials !== 'none');
  const rows = devices.map((device) => [
    device.mac,
    device.name ?? '-',
    device.running === undefined
      ? 'unknown'
      : `${device.running.version}${device.running.by === 'md5' ? '' : ' (reported)'}`,
    `${device.status}${reasonOf(device)}`,
    ...(isWithCredentials ? [credentialWords[device.credentials]] : []),
    device.lastSeenAt === undefined ? unknownLastSeen(device.firstSeenAt) : agoOf(device.lastSeenAt),
  ]);
  const credentials = isWithCredentials ? ['credentials'] : [];
  return table([['mac', 'name', 'running', 'status', ...credentials, 'last seen'], ...rows]);
}

const credentialWords: Readonly<Record<CredentialState, string>> = {
  none: 'none',
  unused: 'not used yet',
  used: 'in use',
  rotating: 'in use, new one not used yet',
  revoked: 'revoked',
};

type DeviceAttempt = DeviceInfo['attempts'][number];

const actionWords = { send: 'update', 'up-to-date': 'up to date', none: 'no update' } as const;
/** Converts a failure name from the API to words, such as "not confirmed". */
function failureText(failure: string | undefined): string {
  return failure?.replace('-', ' ') ?? 'unknown reason';
}

function outcomeOf({ state, failure, rejection, sends, interruptions }: DeviceAttempt): string {
  const reason = rejection === undefined ? '' : `, rejected by the guard: ${rejectionText(rejection)}`;
  const outcome = failure === undefined ? attemptStateWords[state] : `${failureText(failure)}${reason}`;
  const interrupted = interruptions === 0 ? '' : `, ${interruptions} interrupted`;
  return `${outcome}, ${counted(sends, 'attempt')}${interrupted}`;
}

function reasonOf(device: DeviceInfo): string {
  const reason = failureOf(device) ?? device.sketch?.text ?? device.filesystem?.text;
  return reason === undefined ? '' : `: ${reason}`;
}

/** Describes a device's failed update, if any. */
function failureOf({ attempts }: DeviceInfo): string | undefined {
  const failed = attempts.find(({ state }) => state === 'failed');
  return failed && `${failed.version} ${outcomeOf(failed)}`;
}

/** Describes a device, one property per line. */
export function describeDevice(device: DeviceInfo): TextBlock {
  const { mac, name, enrolled, rollout, running, sketch, filesystem } = device;
  const lines = [
    ['device', `${mac}${name === undefined ? '' : ` (${name})`}${enrolled ? ', enrolled' : ''}`],
    ['status', device.status],
    ['board', device.board],
    ['channel', device.channel],
    ['group', device.group],
    ['labels', device.labels?.join(', ')],
    ['pinned to', device.pin],
    ['allowed rules', device.allow?.join(', ')],
    ['credentials', device.credentials === 'none' ? undefined : credentialWords[device.credentials]],
    ['rollout', rollout && rolloutText(rollout)],
    [
      'running',
      running && `${running.version} (${running.by === 'md5' ? 'identified by sketch MD5' : 'reported by the device'})`,
    ],
    ...decisionLines('sketch', sketch),
    ...decisionLines('filesystem', filesystem),
    ...device.attempts.map((attempt) => [
      'update',
      `${attempt.version} (${attempt.kind}): ${outcomeOf(attempt)}, last ${agoOf(attempt.lastSentAt)}`,
    ]),
    ['last seen', device.lastSeenAt === undefined ? unknownLastSeen(device.firstSeenAt) : agoOf(device.lastSeenAt)],
    ...Object.entries(device.report ?? {}).map(([key, value]) => [`  ${key}`, String(value)]),
  ];
  return properties(
    lines.flatMap(([what, value]) => (what === undefined || value === undefined ? [] : [[what, value]])),
  );
}

/** Describes a decision; for a blocked update, with the artifact and one line for each rule and its fix. */
function decisionLines(kind: string, decision: DecisionInfo | undefined): readonly (readonly string[])[] {
  if (decision === undefined) return [];
  const { action, text, version, blocked, at } = decision;
  if (blocked === undefined) return [[kind, `${actionWords[action]}: ${text} (${agoOf(at)})`]];
  return [
    [kind, `${actionWords[action]}: ${version} blocked in ${blocked.artifact} (${agoOf(at)})`],
    ...blocked.findings.flatMap(({ rule, message, fix }) => [
      [`  ${rule}`, message],
      ['  fix', fix],
    ]),
  ];
}

function rolloutText({ version, state, stage, stages, isOpen, counts, progress, failure }: DeviceRolloutInfo): string {
  const stageState = isOpen ? 'open' : state === 'active' ? 'not open yet' : `rollout ${state}`;
  const outcome = progress === 'failed' ? `failed (${failureText(failure)})` : memberStatusWords[progress];
  return `${version}: stage ${stage} of ${stages} (${stageState}); ${outcome}${counts ? '' : '; not counted, because the device is not enrolled'}`;
}
