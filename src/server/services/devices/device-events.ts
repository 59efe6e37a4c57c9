import type { ImageKind } from '../../../core/model/artifact.ts';
import type { Actor, Attempt, DeviceRecord } from '../../storage/records.ts';
import { type DeviceEvent, theDevice } from '../events/domain-event.ts';
import { attemptOf, awaitsRetry } from './attempts.ts';

/** Cause of a change to a device record. The default is a device request. */
export interface DeviceChange {
  readonly by?: Actor | undefined;
  /** Action performed by a person. */
  readonly action?: 'edit' | 'retry' | 'install' | 'create-credentials' | 'revoke-credentials' | undefined;
  /** Attempts after the device request, before a new attempt replaced any of them. Defaults to the attempts in the record. */
  readonly settled?: readonly Attempt[] | undefined;
}

const kinds: readonly ImageKind[] = ['sketch', 'filesystem'];

/**
 * Returns the events for a change to a device record: specific events if there are any, otherwise `device.seen`.
 *
 * @param before record as stored; undefined for a new one
 */
export function deviceEvents(
  before: DeviceRecord | undefined,
  after: DeviceRecord,
  { by = theDevice, action, settled = after.attempts }: DeviceChange,
): readonly DeviceEvent[] {
  const common = { project: after.project, mac: after.mac, actor: by, at: Date.now() };
  const isFirst = before?.firstSeenAt === undefined && after.firstSeenAt !== undefined;
  const found: readonly DeviceEvent[] = [
    ...(isFirst ? [{ ...common, type: 'device.first-seen' as const }] : []),
    ...settled.flatMap((attempt) => ended(attempt, before, common)),
    ...kinds.flatMap((kind) => blocked(kind, before, after, common)),
    ...(action === 'edit' ? [edited(before, after, common)] : []),
    ...(action === 'retry' ? [retried(before, common)] : []),
    ...(action === 'install' ? installRequested(after, common) : []),
    ...(action === 'create-credentials' ? [{ ...common, type: 'device.credentials-created' as const }] : []),
    ...(action === 'revoke-credentials' ? [{ ...common, type: 'device.credentials-revoked' as const }] : []),
  ];
  return found.length === 0 ? [{ ...common, type: 'device.seen' }] : found;
}

type Common = Pick<DeviceEvent, 'project' | 'mac' | 'actor' | 'at'>;

/** Returns the event for an attempt that ended. Returns nothing if the stored attempt already has this state. */
function ended(attempt: Attempt, before: DeviceRecord | undefined, common: Common): readonly DeviceEvent[] {
  const { state, version, kind, failure = 'not-installed', rejection } = attempt;
  const earlier = attemptOf(before?.attempts ?? [], attempt.releaseId);
  if (earlier === undefined || earlier.state === state) return [];
  if (state === 'running') return [{ ...common, type: 'device.updated', version, kind }];
  return state === 'failed' ? [{ ...common, type: 'device.failed', version, kind, how: failure, rejection }] : [];
}

function blocked(
  kind: ImageKind,
  before: DeviceRecord | undefined,
  after: DeviceRecord,
  common: Common,
): readonly DeviceEvent[] {
  const earlier = before?.decisions[kind];
  const decision = after.decisions[kind];
  const [code, ...rules] = decision?.code.split(' ') ?? [];
  if (code !== 'blocked' || (earlier?.code === decision?.code && earlier?.version === decision?.version)) return [];
  return [
    {
      ...common,
      type: 'device.blocked',
      version: decision?.version,
      kind,
      rules,
      artifact: decision?.blocked?.artifact,
    },
  ];
}

/** Describes the settings that people change, except the password hash. */
function edited(before: DeviceRecord | undefined, after: DeviceRecord, common: Common): DeviceEvent {
  const { enrolled, name, board, channel, group, labels, pin, atomicFs, allow, credential } = after;
  const isNew = enrolled && before?.enrolled !== true;
  const type = isNew ? 'device.enrolled' : 'device.edited';
  const settings = { enrolled, name, board, channel, group, labels, pin, atomicFs, allow, user: credential?.user };
  return { ...common, type, ...settings };
}

function retried(before: DeviceRecord | undefined, common: Common): DeviceEvent {
  const waiting = before?.attempts.filter(awaitsRetry) ?? [];
  return { ...common, type: 'device.retried', versions: waiting.map(({ version }) => version) };
}

function installRequested({ install }: DeviceRecord, common: Common): readonly DeviceEvent[] {
  return install === undefined ? [] : [{ ...common, type: 'device.install-requested', version: install.version }];
}
