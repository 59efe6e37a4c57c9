import type * as v from 'valibot';
import type { DeviceInfo, DevicePreview } from '../../../api/admin-info.ts';
import type { deviceRequestSchema } from '../../../api/release-admin.ts';
import type { ServerParts } from '../../parts.ts';
import { createCredentials, revokeCredentials } from '../../services/devices/credentials.ts';
import type { Decision } from '../../services/devices/decide.ts';
import { enrollDevice } from '../../services/devices/enroll-device.ts';
import { devicesNotEnrolled } from '../../services/devices/not-enrolled.ts';
import { previewDecision } from '../../services/devices/preview.ts';
import { retryFailedDevice } from '../../services/devices/retry-device.ts';
import { DomainError } from '../../services/domain-error.ts';
import { newRecord } from '../../storage/device-record.ts';
import type { Credential, DeviceRecord } from '../../storage/records.ts';
import { deviceInfo } from './device-info.ts';
import { deviceOperations } from './operations/devices.ts';
import { withPassword } from './projects.ts';
import { requireProject } from './releases.ts';
import { type Route, route } from './routes.ts';

type Request = v.InferOutput<typeof deviceRequestSchema>;

export function deviceRoutes(parts: ServerParts): readonly Route[] {
  const { catalog, records, rollouts, clock } = parts;

  const list = route(deviceOperations.list, async ({ params, query: { after, limit } }) => {
    const project = requireProject(parts, params.project);
    const found = await records.list(project, { after, limit });
    const devices = found.map((seen) => deviceInfo(seen, rollouts.ofDevice(seen.record)));
    return { devices, next: devices.length < limit ? undefined : devices.at(-1)?.mac };
  });

  const notEnrolled = route(deviceOperations.notEnrolled, ({ token }) => ({
    devices: devicesNotEnrolled(parts, token.project).map(({ lastSeenAt, ...device }) => ({
      ...device,
      lastSeenAt: new Date(lastSeenAt).toISOString(),
    })),
  }));

  const importTable = route(deviceOperations.import, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    const table = await body();
    const sharedAliases = catalog.sharedAliases(project);
    const response = { enrolled: 0, unchanged: 0, sharedAliases: [...sharedAliases] };
    for (const [mac, { file }] of Object.entries(table)) {
      const isNew = await enroll(project, mac, file.slice(0, 64) || undefined, token.id);
      response[isNew ? 'enrolled' : 'unchanged']++;
    }
    return response;
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
    throw new DomainError(
      'not-found',
      `${project} has no release ${pin} to pin a device to`,
      'Publish this version first; a draft (--draft) is enough.',
    );
  }

  async function show(project: string, mac: string): Promise<DeviceInfo> {
    const seen = await records.show(project, mac);
    if (seen === undefined) throw unknownDevice(mac);
    return deviceInfo(seen, rollouts.ofDevice(seen.record));
  }

  async function enroll(project: string, mac: string, name: string | undefined, by: string): Promise<boolean> {
    const isNew = await enrollDevice(records, { project, mac, name, by });
    if (isNew === 'full') throw full();
    return isNew;
  }

  return [
    ...[list, notEnrolled, importTable, preview, createSecrets, revokeSecrets],
    ...[showOne, save, remove, retry],
  ];
}

function previewOf(mac: string, decision: Decision): DevicePreview {
  const { action, code, text } = decision;
  if (action !== 'send') return { mac, action, code, text };
  const { release, artifact } = decision;
  return { mac, action, code, text, version: release.version, artifact: artifact.file };
}

function withChanges(record: DeviceRecord, request: Request, password: Credential | undefined): DeviceRecord {
  const { enrolled, name, board, channel, group, pin, atomicFs, allow, credential } = request;
  return {
    ...record,
    enrolled: enrolled ?? record.enrolled,
    name: changed(record.name, name),
    board: changed(record.board, board),
    channel: changed(record.channel, channel),
    group: changed(record.group, group),
    pin: changed(record.pin, pin),
    atomicFs: changed(record.atomicFs, atomicFs),
    allow: changed(record.allow, allow?.length === 0 ? null : allow),
    credential: credential === undefined ? record.credential : password,
  };
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
