import { isDeepStrictEqual } from 'node:util';
import type * as v from 'valibot';
import type { changeDevicesRequestSchema } from '../../../api/device-sets.ts';
import type { deviceRequestSchema } from '../../../api/release-admin.ts';
import type { Credential, DeviceRecord } from '../../storage/records.ts';
import { DomainError } from '../domain-error.ts';
import type { ServiceParts } from '../parts.ts';
import { yankedText } from '../releases/yanked-version.ts';
import { labelsOf } from './import-devices.ts';

type Request = v.InferOutput<typeof deviceRequestSchema>;
/** Settings that several devices can share. Undefined keeps the current value, and null removes it. */
export type SharedSettings = v.InferOutput<typeof changeDevicesRequestSchema>['change'];

/** Applies a request to a record. */
export function withChanges(record: DeviceRecord, request: Request, password: Credential | undefined): DeviceRecord {
  const { name, atomicFs, allow, credential } = request;
  return {
    ...changedSettings(record, request),
    name: changed(record.name, name),
    atomicFs: changed(record.atomicFs, atomicFs),
    allow: changed(record.allow, allow?.length === 0 ? null : allow),
    credential: credential === undefined ? record.credential : password,
  };
}

/** Changes settings that several devices can share. Returns the same object if nothing changes. */
export function changedSettings(
  record: DeviceRecord,
  { enrolled, board, channel, group, labels, pin }: SharedSettings,
): DeviceRecord {
  const after = {
    ...record,
    enrolled: enrolled ?? record.enrolled,
    board: changed(record.board, board),
    channel: changed(record.channel, channel),
    group: changed(record.group, group),
    labels: changed(record.labels, labels && (labelsOf(labels) ?? null)),
    pin: changed(record.pin, pin),
  };
  return isDeepStrictEqual(after, record) ? record : after;
}

/** Applies a requested value to a field: undefined keeps the current value, and null removes it. */
function changed<Value>(before: Value | undefined, request: Value | null | undefined): Value | undefined {
  return request === undefined ? before : (request ?? undefined);
}

/**
 * Checks that a version exists, so that devices can be pinned to it.
 *
 * @throws DomainError not-found
 */
export async function requirePinnable(
  { store }: Pick<ServiceParts, 'store'>,
  project: string,
  pin: string | null | undefined,
): Promise<void> {
  if (pin === undefined || pin === null) return;
  const found = await store.catalog.withVersion(project, pin);
  if (found.length > 0) return;
  const yanked = yankedText(await store.catalog.imagesOf(project, pin));
  throw new DomainError(
    'not-found',
    yanked === undefined
      ? `${project} has no release ${pin} to pin a device to`
      : `${project} ${pin} was yanked (${yanked}), so no device can be pinned to it`,
    'Publish this version first; a draft (--draft) is enough.',
  );
}
