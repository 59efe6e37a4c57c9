import { type Context, Hono } from 'hono';
import type * as v from 'valibot';
import type { DeviceInfo, DevicePreview, ImportResponse, NotEnrolledInfo } from '../../../api/admin-info.ts';
import { credentialsRequestSchema, revocationRequestSchema } from '../../../api/device-credentials.ts';
import {
  arduinoDbSchema,
  deviceRequestSchema,
  mac as macSchema,
  previewRequestSchema,
} from '../../../api/release-admin.ts';
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
import { withPassword } from './projects.ts';
import { requireProject } from './releases.ts';
import { checked, numberIn, readBody, requireAction, type Session } from './session.ts';

type Request = v.InferOutput<typeof deviceRequestSchema>;

const mostListed = 1000;

export function deviceRoutes(parts: ServerParts): Hono<Session> {
  const { catalog, records, rollouts, clock } = parts;
  const routes = new Hono<Session>();
  const path = '/projects/:project/devices';

  routes.get(path, requireAction(parts, 'view'), async (context) => {
    const project = requireProject(parts, context.req.param('project'));
    const limit = Math.max(1, numberIn(context, 'limit', 100, mostListed));
    const found = await records.list(project, { after: context.req.query('after'), limit });
    const devices = found.map((seen) => deviceInfo(seen, rollouts.ofDevice(seen.record)));
    return context.json({ devices, next: devices.length < limit ? undefined : devices.at(-1)?.mac });
  });

  routes.get('/devices/not-enrolled', requireAction(parts, 'view', { anyProject: true }), (context) => {
    const devices = devicesNotEnrolled(parts, context.get('token').project).map(
      ({ lastSeenAt, ...device }): NotEnrolledInfo => ({
        ...device,
        lastSeenAt: new Date(lastSeenAt).toISOString(),
      }),
    );
    return context.json({ devices });
  });

  routes.post(`${path}/import`, requireAction(parts, 'devices'), async (context) => {
    const project = requireProject(parts, context.req.param('project'));
    const table = await readBody(context, arduinoDbSchema);
    const sharedAliases = catalog.sharedAliases(project);
    const response = { enrolled: 0, unchanged: 0, sharedAliases: [...sharedAliases] };
    for (const [mac, { file }] of Object.entries(table)) {
      const isNew = await enroll(project, mac, file.slice(0, 64) || undefined, context.get('token').id);
      response[isNew ? 'enrolled' : 'unchanged']++;
    }
    return context.json(response satisfies ImportResponse);
  });

  routes.post(`${path}/preview`, requireAction(parts, 'view'), async (context) => {
    const project = requireProject(parts, context.req.param('project'));
    const { macs, channel } = await readBody(context, previewRequestSchema);
    const devices: DevicePreview[] = [];
    for (const each of macs) {
      const decision = await previewDecision(parts, { project, mac: each, channel });
      if (decision !== undefined) devices.push(previewOf(each, decision));
    }
    return context.json({ devices });
  });

  routes.post(`${path}/credentials`, requireAction(parts, 'devices'), async (context) => {
    const project = requireProject(parts, context.req.param('project'));
    const request = await readBody(context, credentialsRequestSchema);
    const by = context.get('token').id;
    const at = clock.now().wallMs;
    return context.json(await createCredentials(records, { project, ...request, by, at }));
  });

  routes.post(`${path}/credentials/revoke`, requireAction(parts, 'devices'), async (context) => {
    const project = requireProject(parts, context.req.param('project'));
    const request = await readBody(context, revocationRequestSchema);
    return context.json(await revokeCredentials(records, { project, ...request, by: context.get('token').id }));
  });

  routes.get(`${path}/:mac`, requireAction(parts, 'view'), async (context) => {
    const { project, mac } = named(context);
    return context.json(await show(project, mac));
  });

  routes.put(`${path}/:mac`, requireAction(parts, 'devices'), async (context) => {
    const { project, mac } = named(context);
    const request = await readBody(context, deviceRequestSchema);
    await requirePinnable(project, request.pin);
    const password = request.credential === undefined ? undefined : await withPassword(undefined, request.credential);
    const saved = await records.change(
      project,
      mac,
      (record) => withChanges(record ?? { ...newRecord(project, mac), enrolled: true }, request, password),
      { by: context.get('token').id, action: 'edit' },
    );
    if (saved === 'full') throw full();
    return context.json(await show(project, mac));
  });

  routes.delete(`${path}/:mac`, requireAction(parts, 'devices'), async (context) => {
    const { project, mac } = named(context);
    if (!(await records.remove(project, mac, context.get('token').id))) throw unknownDevice(mac);
    return context.json({ removed: mac });
  });

  routes.post(`${path}/:mac/retry`, requireAction(parts, 'devices'), async (context) => {
    const { project, mac } = named(context);
    const retried = await retryFailedDevice(records, {
      project,
      mac,
      by: context.get('token').id,
      at: clock.now().wallMs,
    });
    if (retried === undefined) throw unknownDevice(mac);
    return context.json(await show(project, mac));
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

  function named(context: Context<Session>): { project: string; mac: string } {
    const project = requireProject(parts, context.req.param('project') ?? '');
    return { project, mac: checked(macSchema, context.req.param('mac')) };
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

  return routes;
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
