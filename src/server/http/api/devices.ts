import type { DeviceInfo, DevicePreview } from '../../../api/admin-info.ts';
import { withPassword } from '../../auth/credentials.ts';
import type { ServerParts } from '../../parts.ts';
import { createCredentials, revokeCredentials } from '../../services/devices/credentials.ts';
import type { Decision } from '../../services/devices/decide.ts';
import { changeDevices, retryDevices } from '../../services/devices/device-sets.ts';
import { changedSettings, requirePinnable, withChanges } from '../../services/devices/device-settings.ts';
import { importDevices } from '../../services/devices/import-devices.ts';
import { devicesNotEnrolled } from '../../services/devices/not-enrolled.ts';
import { previewDecision } from '../../services/devices/preview.ts';
import { retryFailedDevice } from '../../services/devices/retry-device.ts';
import { DomainError } from '../../services/domain-error.ts';
import { newRecord } from '../../storage/device-record.ts';
import type { DeviceRecord } from '../../storage/records.ts';
import { deviceInfo } from './device-info.ts';
import { deviceOperations } from './operations/devices.ts';
import { requireProject } from './releases.ts';
import { type Route, route } from './routes.ts';

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
    for (const pin of new Set(devices.map((device) => device.pin))) await requirePinnable(parts, project, pin);
    const imported = await importDevices(records, { project, devices, dryRun, by: token.id });
    return { devices: imported, sharedAliases: catalog.sharedAliases(project) };
  });

  const change = route(deviceOperations.change, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    const { change: changes, ...set } = await body();
    await requirePinnable(parts, project, changes.pin);
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
    await requirePinnable(parts, project, request.pin);
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
