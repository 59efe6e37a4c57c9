import { isDeepStrictEqual } from 'node:util';
import type * as v from 'valibot';
import type { DeviceInfo, DevicePreview } from '../../../api/admin-info.ts';
import type { changeDevicesRequestSchema } from '../../../api/device-sets.ts';
import type { deviceRequestSchema } from '../../../api/release-admin.ts';
import type { ServerParts } from '../../parts.ts';
import { createCredentials, revokeCredentials } from '../../services/devices/credentials.ts';
import type { Decision } from '../../services/devices/decide.ts';
import { changeDevices, retryDevices } from '../../services/devices/device-sets.ts';
import { importDevices, labelsOf } from '../../services/devices/import-devices.ts';
import { devicesNotEnrolled } from '../../services/devices/not-enrolled.ts';
import { previewDecision } from '../../services/devices/preview.ts';
import { retryFailedDevice } from '../../services/devices/retry-device.ts';
import { DomainError } from '../../services/domain-error.ts';
import { yankedText } from '../../services/releases/yanked-version.ts';
import { newRecord } from '../../storage/device-record.ts';
import type { Credential, DeviceRecord } from '../../storage/records.ts';
import { deviceInfo } from './device-info.ts';
import { deviceOperations } from './operations/devices.ts';
import { withPassword } from './projects.ts';
import { requireProject } from './releases.ts';
import { type Route, route } from './routes.ts';

type Request = v.InferOutput<typeof deviceRequestSchema>;
type SharedSettings = v.InferOutput<typeof changeDevicesRequestSchema>['change'];

export function deviceRoutes(parts: ServerParts): readonly Route[] {
  const { catalog, records, rollouts, clock } = parts;

  const list = route(deviceOperations.list, async ({ params, query: { after, limit, version, ...filter } }) => {
    const project = requireProject(parts, params.project);
    const found = await records.list(project, { after, limit }, { ...filter, runs: version });
    const devices = found.map((seen) => deviceInfo(seen, rollouts.ofDevice(seen.record)));
    return { devices, next: devices.length < limit ? undefined : devices.at(-1)?.mac };
  });

  const notEnrolled = route(deviceOperations.notEnrolled, async ({ token }) => ({
    devices: (await devicesNotEnrolled(parts, token.project)).map(({ lastSeenAt, ...device }) => ({
      ...device,
      lastSeenAt: new Date(lastSeenAt).toISOString(),
    })),
  }));

  const importTable = route(deviceOperations.import, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    const { devices, dryRun } = await body();
    for (const pin of new Set(devices.map((device) => device.pin))) await requirePinnable(project, pin);
    const imported = await importDevices(records, { project, devices, dryRun, by: token.id });
    return { devices: imported, sharedAliases: catalog.sharedAliases(project) };
  });

  const change = route(deviceOperations.change, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    const { change: changes, ...set } = await body();
    await requirePinnable(project, changes.pin);
    const withChange = (record: DeviceRecord) => changedSettings(record, changes);
    return changeDevices(records, { project, ...set, by: token.id }, withChange, changes.enrolled === true);
  });

  const retryAll = route(deviceOperations.retryAll, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    return retryDevices(parts, { project, ...(await body()), by: token.id });
  });

  const preview = route(deviceOperations.preview, async ({ params, body }) => {
    const project = requireProject(parts, params.project);
    const { macs, channel } = await body();
    const devices: DevicePreview[] = [];
    for (const each of macs) {
      const decision = await previewDecision(parts, { project, mac: each, channel });
      if (decision !== undefined) devices.push(previewOf(each, decision));
    }
    return { devices };
  });

  const createSecrets = route(deviceOperations.createCredentials, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    const request = await body();
    return createCredentials(records, { project, ...request, by: token.id, at: clock.now().wallMs });
  });

  const revokeSecrets = route(deviceOperations.revokeCredentials, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    return revokeCredentials(records, { project, ...(await body()), by: token.id });
  });

  const showOne = route(deviceOperations.show, ({ params: { project, mac } }) =>
    show(requireProject(parts, project), mac),
  );

  const save = route(deviceOperations.save, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    const { mac } = params;
    const request = await body();
    await requirePinnable(project, request.pin);
    const password = request.credential === undefined ? undefined : await withPassword(undefined, request.credential);
    const saved = await records.change(
      project,
      mac,
      (record) => withChanges(record ?? { ...newRecord(project, mac), enrolled: true }, request, password),
      { by: token.id, action: 'edit' },
    );
    if (saved === 'full') throw full();
    return show(project, mac);
  });

  const remove = route(deviceOperations.remove, async ({ params: { project, mac }, token }) => {
    if (!(await records.remove(requireProject(parts, project), mac, token.id))) throw unknownDevice(mac);
    return { removed: mac };
  });

  const retry = route(deviceOperations.retry, async ({ params, token }) => {
    const project = requireProject(parts, params.project);
    const { mac } = params;
    const retried = await retryFailedDevice(records, { project, mac, by: token.id, at: clock.now().wallMs });
    if (retried === undefined) throw unknownDevice(mac);
    return show(project, mac);
  });

  async function requirePinnable(project: string, pin: string | null | undefined): Promise<void> {
    if (pin === undefined || pin === null) return;
    const found = await parts.store.catalog.withVersion(project, pin);
    if (found.length > 0) return;
    const yanked = yankedText(await parts.store.catalog.imagesOf(project, pin));
    throw new DomainError(
      'not-found',
      yanked === undefined
        ? `${project} has no release ${pin} to pin a device to`
        : `${project} ${pin} was yanked (${yanked}), so no device can be pinned to it`,
      'Publish this version first; a draft (--draft) is enough.',
    );
  }

  async function show(project: string, mac: string): Promise<DeviceInfo> {
    const seen = await records.show(project, mac);
    if (seen === undefined) throw unknownDevice(mac);
    return deviceInfo(seen, rollouts.ofDevice(seen.record));
  }

  return [
    ...[list, change, notEnrolled, importTable, preview, createSecrets, revokeSecrets],
    ...[showOne, save, remove, retry, retryAll],
  ];
}

function previewOf(mac: string, decision: Decision): DevicePreview {
  const { action, code, text } = decision;
  if (action !== 'send') return { mac, action, code, text };
  const { release, artifact } = decision;
  return { mac, action, code, text, version: release.version, artifact: artifact.file };
}

function withChanges(record: DeviceRecord, request: Request, password: Credential | undefined): DeviceRecord {
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
function changedSettings(
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

function unknownDevice(mac: string): DomainError {
  return new DomainError(
    'not-found',
    `device ${mac} not found: it has never checked in and is not enrolled`,
    'Check the MAC address, or list devices with `ota-hooks server devices list`.',
  );
}

function full(): DomainError {
  return new DomainError(
    'conflict',
    'the project already has the maximum number of devices',
    'Remove devices, or restart the server with a higher --max-devices.',
  );
}
