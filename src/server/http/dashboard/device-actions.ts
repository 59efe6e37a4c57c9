import * as v from 'valibot';
import { deviceRequestSchema, mac as macSchema } from '../../../api/release-admin.ts';
import type { ServerParts } from '../../parts.ts';
import { requirePinnable, withChanges } from '../../services/devices/device-settings.ts';
import { enrollDevice } from '../../services/devices/enroll-device.ts';
import { labelsOf } from '../../services/devices/import-devices.ts';
import { retryFailedDevice } from '../../services/devices/retry-device.ts';
import { DomainError } from '../../services/domain-error.ts';
import { checked } from '../api/session.ts';
import { type DeviceFields, deviceFields, fieldsOf } from './device-form.tsx';
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

/**
 * Saves the settings that the form of a device changes. An empty field removes the setting.
 *
 * @throws DomainError not-found, invalid; conflict if another person has changed one of these settings meanwhile
 */
export async function saveDevice(context: PageContext, parts: ServerParts, project: string, text: string) {
  const form = await readForm(context, 'devices');
  const mac = checked(macSchema, text);
  const before = seenFields(form['before']);
  const fields = Object.fromEntries(deviceFields.map((name) => [name, textOf(name, form[name])]));
  const changed = deviceFields.filter((name) => fields[name] !== before[name]);
  const request = checked(
    deviceRequestSchema,
    Object.fromEntries(changed.map((name) => [name, settingOf(name, fields[name] ?? '')])),
  );
  await requirePinnable(parts, project, request.pin);
  const saved = await parts.records.change(
    project,
    mac,
    (record) => {
      if (record === undefined) return undefined;
      const current = fieldsOf(record);
      const other = changed.find((name) => current[name] !== before[name] && current[name] !== fields[name]);
      if (other !== undefined) throw changedMeanwhile(other, current[other]);
      return withChanges(record, request, undefined);
    },
    { by: context.get('token').id, action: 'edit' },
  );
  if (saved === undefined || saved === 'full') throw unknownDevice(mac);
  return context.redirect(withQuery(devicePath(project, mac), doneQuery('saved')), 303);
}

const seenFieldsSchema = v.strictObject(v.entriesFromList(deviceFields, v.string()));

/** Returns the settings that the person who fills in the form has seen. */
function seenFields(text: string | undefined): DeviceFields {
  const unreadable = new DomainError('invalid', 'before: must contain the settings before the change', reloadHint);
  try {
    return v.parse(seenFieldsSchema, JSON.parse(text ?? ''));
  } catch {
    throw unreadable;
  }
}

/** Returns the text of a field as `fieldsOf` does. */
function textOf(name: keyof DeviceFields, text = ''): string {
  return name === 'labels' ? (labelsOf(wordsOf(text)) ?? []).join(' ') : text.trim();
}

function settingOf(name: keyof DeviceFields, text: string): unknown {
  if (name === 'enrolled') return text === 'yes';
  return name === 'labels' ? wordsOf(text) : text || null;
}

function wordsOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

const reloadHint = 'Open the page of the device again, and repeat your change.';

function changedMeanwhile(name: keyof DeviceFields, current: string): DomainError {
  const now = current === '' ? 'is empty now' : `is ${current} now`;
  return new DomainError('conflict', `the field ${name} was changed by another person and ${now}`, reloadHint);
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
