import { deviceRequestSchema, mac as macSchema } from '../../../api/release-admin.ts';
import type { ServerParts } from '../../parts.ts';
import { requirePinnable, withChanges } from '../../services/devices/device-settings.ts';
import { enrollDevice } from '../../services/devices/enroll-device.ts';
import { retryFailedDevice } from '../../services/devices/retry-device.ts';
import { DomainError } from '../../services/domain-error.ts';
import { checked } from '../api/session.ts';
import { doneQuery } from './done.tsx';
import { type PageContext, readForm } from './page-login.ts';
import { devicePath, projectPath, withQuery } from './paths.ts';

/** Clears a device's failures, so that the server sends the release to the device again. */
export async function retryDevice(
  context: PageContext,
  { records, clock }: ServerParts,
  project: string,
  text: string,
) {
  await readForm(context, 'devices');
  const mac = checked(macSchema, text);
  const by = context.get('token').id;
  const retried = await retryFailedDevice(records, { project, mac, by, at: clock.now().wallMs });
  if (retried === undefined) throw unknownDevice(mac);
  return context.redirect(withQuery(devicePath(project, mac), doneQuery('retried')), 303);
}

/** Enrolls a device that the overview lists as not enrolled. */
export async function enrollFromOverview(
  context: PageContext,
  { records }: ServerParts,
  project: string,
  text: string,
) {
  await readForm(context, 'devices');
  const mac = checked(macSchema, text);
  await enrollDevice(records, { project, mac, by: context.get('token').id });
  return context.redirect(withQuery(devicePath(project, mac), doneQuery('enrolled')), 303);
}

/** Saves the settings in the form of a device. An empty field removes the setting. */
export async function saveDevice(context: PageContext, parts: ServerParts, project: string, text: string) {
  const form = await readForm(context, 'devices');
  const mac = checked(macSchema, text);
  const setting = (name: string) => form[name]?.trim() || null;
  const labels = (form['labels'] ?? '').split(/[\s,]+/).filter((label) => label !== '');
  const request = checked(deviceRequestSchema, {
    enrolled: form['enrolled'] === 'yes',
    name: setting('name'),
    board: setting('board'),
    channel: setting('channel'),
    group: setting('group'),
    labels,
    pin: setting('pin'),
  });
  // The form of a device that is pinned to a yanked version also contains this version.
  const isPinned = (await parts.records.find(project, mac))?.pin === request.pin;
  if (!isPinned) await requirePinnable(parts, project, request.pin);
  const saved = await parts.records.change(
    project,
    mac,
    (record) => record && withChanges(record, request, undefined),
    { by: context.get('token').id, action: 'edit' },
  );
  if (saved === undefined || saved === 'full') throw unknownDevice(mac);
  return context.redirect(withQuery(devicePath(project, mac), doneQuery('saved')), 303);
}

/** Removes the record of a device. */
export async function removeDevice(context: PageContext, { records }: ServerParts, project: string, text: string) {
  await readForm(context, 'devices');
  const mac = checked(macSchema, text);
  if (!(await records.remove(project, mac, context.get('token').id))) throw unknownDevice(mac);
  return context.redirect(withQuery(projectPath(project, 'devices'), doneQuery('removed')), 303);
}

export function unknownDevice(mac: string): DomainError {
  return new DomainError(
    'not-found',
    `Device ${mac} not found: it has never checked in and is not enrolled.`,
    'Check the MAC address.',
  );
}
