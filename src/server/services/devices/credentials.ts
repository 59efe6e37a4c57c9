import type { CredentialsResponse, RevocationResponse } from '../../../api/device-credentials.ts';
import { credentialState, withNewSecret, withoutSecrets } from '../../storage/device-credentials.ts';
import type { Actor, DeviceRecord, DeviceSecrets } from '../../storage/records.ts';
import type { DeviceRecords } from './device-records.ts';

/** Number of records changed at the same time, so that the store writes them together. */
const changedAtOnce = 100;

interface NewCredentials {
  readonly project: string;
  readonly credentials: readonly { readonly mac: string; readonly hash: string }[];
  readonly rotate: boolean;
  readonly replaceUnused: boolean;
  readonly by: Actor;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Stores a new secret for each device, except for unknown devices and devices whose secrets must be kept. */
export async function createCredentials(records: DeviceRecords, request: NewCredentials): Promise<CredentialsResponse> {
  const { project, by, at } = request;
  const created: string[] = [];
  const skipped: CredentialsResponse['skipped'][number][] = [];
  await inBatches(request.credentials, async ({ mac, hash }) => {
    let state: CredentialsResponse['skipped'][number]['state'] | undefined;
    const change = (record: DeviceRecord | undefined) => {
      state = record === undefined ? 'unknown' : keptState(record.secrets, hash, request);
      if (record === undefined || state !== undefined || record.secrets?.newest?.hash === hash) return record;
      return { ...record, secrets: withNewSecret(record.secrets, hash, at) };
    };
    await records.change(project, mac, change, { by, action: 'create-credentials' });
    if (state === undefined) created.push(mac);
    else skipped.push({ mac, state });
  });
  return { created, skipped };
}

/** Returns the state of secrets that must be kept; undefined if the new secret must be added or was already added by an earlier request. */
function keptState(
  secrets: DeviceSecrets | undefined,
  hash: string,
  { rotate, replaceUnused }: NewCredentials,
): CredentialsResponse['skipped'][number]['state'] | undefined {
  if (secrets?.newest?.hash === hash) return undefined;
  const state = credentialState(secrets);
  const isKept = (state === 'used' && !rotate) || ((state === 'unused' || state === 'rotating') && !replaceUnused);
  return isKept ? state : undefined;
}

interface Revocation {
  readonly project: string;
  readonly macs: readonly string[];
  readonly forget: boolean;
  readonly by: Actor;
}

/** Revokes device secrets. Unknown devices and devices without secrets are skipped. */
export async function revokeCredentials(records: DeviceRecords, request: Revocation): Promise<RevocationResponse> {
  const { project, macs, forget, by } = request;
  const revoked: string[] = [];
  await inBatches(macs, async (mac) => {
    let hadSecrets = false;
    const change = (record: DeviceRecord | undefined) => {
      hadSecrets = record?.secrets !== undefined;
      if (record?.secrets === undefined) return record;
      return { ...record, secrets: forget ? undefined : withoutSecrets(record.secrets) };
    };
    await records.change(project, mac, change, { by, action: 'revoke-credentials' });
    if (hadSecrets) revoked.push(mac);
  });
  return { revoked };
}

async function inBatches<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += changedAtOnce) {
    await Promise.all(items.slice(at, at + changedAtOnce).map(work));
  }
}
