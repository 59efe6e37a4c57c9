import type { DecisionInfo, DeviceInfo } from '../../../api/admin-info.ts';
import type { DeviceRolloutInfo } from '../../../api/rollout-info.ts';
import { fixText, type ServedDevice } from '../../../core/preflight/fix-text.ts';
import { credentialState } from '../../storage/device-credentials.ts';
import { deviceStatus } from '../../storage/device-status.ts';
import type { BlockedUpdate, DecisionRecord, SeenDevice } from '../../storage/records.ts';

/** Converts a device to its API representation. */
export function deviceInfo(
  { record, lastSeenAt, report }: SeenDevice,
  rollout: DeviceRolloutInfo | undefined,
): DeviceInfo {
  const {
    project,
    mac,
    enrolled,
    name,
    board,
    channel,
    group,
    labels,
    pin,
    atomicFs,
    allow,
    credential,
    secrets,
    firstSeenAt,
    running,
    attempts,
  } = record;
  return {
    project,
    mac,
    status: deviceStatus(record),
    enrolled,
    proven: record.proven === true,
    name,
    board,
    channel,
    group,
    labels: labels && [...labels],
    pin,
    atomicFs,
    allow: allow && [...allow],
    user: credential?.user,
    credentials: credentialState(secrets),
    firstSeenAt: isoTime(firstSeenAt),
    lastSeenAt: isoTime(toMinute(lastSeenAt)),
    report: report && { ...report },
    running: running && { version: running.version, by: running.by },
    rollout,
    sketch: decisionInfo(record.decisions.sketch, record),
    filesystem: decisionInfo(record.decisions.filesystem, record),
    attempts: attempts.map(
      ({ version, kind, state, sends, receipts, interruptions, lastSentAt, failure, rejection }) => ({
        version,
        kind,
        state,
        sends,
        receipts,
        interruptions,
        lastSentAt: new Date(lastSentAt).toISOString(),
        failure,
        rejection,
      }),
    ),
  };
}

function decisionInfo(decision: DecisionRecord | undefined, device: ServedDevice): DecisionInfo | undefined {
  if (decision === undefined) return undefined;
  const { action, code, text, version, blocked, at } = decision;
  return {
    action,
    code,
    text,
    version,
    blocked: blocked && blockInfo(blocked, device),
    at: new Date(at).toISOString(),
  };
}

function blockInfo({ artifact, findings }: BlockedUpdate, device: ServedDevice): DecisionInfo['blocked'] {
  return {
    artifact,
    findings: findings.map(({ rule, message, fixes }) => ({ rule, message, fix: fixText(fixes, device), fixes })),
  };
}

/** Rounds a time down to the minute, because last-seen times are not more exact. */
function toMinute(at: number | undefined): number | undefined {
  return at === undefined ? undefined : at - (at % 60_000);
}

function isoTime(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
