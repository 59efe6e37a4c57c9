import { createHash } from 'node:crypto';
import { changeDevicesRequestSchema } from '../../../api/device-sets.ts';
import { resourceName } from '../../../api/release.ts';
import { mostLabels } from '../../../api/release-admin.ts';
import { counted, countText } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import {
  actOnDevices,
  type BulkAction,
  type BulkPreview,
  type BulkTarget,
  macsOfTarget,
  previewChange,
  retriedAtOnce,
} from '../../services/devices/bulk-devices.ts';
import { requirePinnable } from '../../services/devices/device-settings.ts';
import { DomainError } from '../../services/domain-error.ts';
import { checked } from '../api/session.ts';
import { type BulkActionName, bulkActions, ViewFields } from './bulk-form.tsx';
import { doneQuery } from './done.tsx';
import { type FleetQuery, fleetParameters, fleetPath, readFleetQuery } from './fleet-filter.ts';
import { runningReleases, selectFleet } from './fleet-selection.ts';
import { Sentence } from './identifiers.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { type Form, type PageContext, readForm } from './page-login.ts';
import { projectPath, withQuery } from './paths.ts';
import { SendForm } from './send-form.tsx';

/** What a form asks for: an action on devices. */
interface BulkRequest {
  readonly name: BulkActionName;
  readonly value: string;
  readonly action: BulkAction;
  readonly target: BulkTarget;
  readonly macs: readonly string[];
  readonly view: FleetQuery;
}

/** Asks for confirmation of an action on several devices, with their number. Changes nothing. */
export async function askBulk(context: PageContext, parts: ServerParts, project: string): Promise<Response> {
  const form = await readForm(context, 'devices');
  return askPage(context, parts, project, await bulkRequest(parts, project, form));
}

/** Performs the action if it still concerns the devices that the user has confirmed; otherwise, asks again. */
export async function doBulk(context: PageContext, parts: ServerParts, project: string): Promise<Response> {
  const form = await readForm(context, 'devices');
  const request = await bulkRequest(parts, project, form);
  const { macs, action, view, name } = request;
  if (form['devices'] !== digestOf(macs)) return askPage(context, parts, project, request, true);
  const { changed, waiting } = await actOnDevices(parts, { project, macs, action, by: context.get('token').id });
  const done = name === 'retry' ? 'retried-all' : name === 'remove' ? 'removed-all' : 'changed-all';
  const place = projectPath(project, 'devices');
  return context.redirect(withQuery(place, { ...fleetParameters(view), ...doneQuery(done, changed, waiting) }), 303);
}

/** @throws DomainError invalid, not-found */
async function bulkRequest(parts: ServerParts, project: string, form: Form): Promise<BulkRequest> {
  const view = readFleetQuery((name) => {
    const value = form[`view-${name}`];
    return value === undefined ? undefined : [value];
  });
  const name = (Object.keys(bulkActions) as BulkActionName[]).find((known) => known === form['action']);
  if (name === undefined) throw new DomainError('invalid', 'No action is selected.', 'Select an action.');
  const value = form['value']?.trim() ?? '';
  const action = actionOf(name, value);
  if (action.kind === 'change') await requirePinnable(parts, project, action.change.pin);
  const target = await targetOf(parts, project, form, view);
  const macs = await macsOfTarget(parts, project, target);
  if (macs.length === 0) {
    const hint = 'Select devices in the list, or choose all devices that match the filter.';
    throw new DomainError('invalid', 'No device is selected.', hint);
  }
  return { name, value, action, target, macs, view };
}

async function targetOf(parts: ServerParts, project: string, form: Form, view: FleetQuery): Promise<BulkTarget> {
  if (form['scope'] !== 'all') {
    return { macs: Object.keys(form).flatMap((field) => (field.startsWith('mac-') ? [field.slice(4)] : [])) };
  }
  const running = await runningReleases(parts, project, await parts.store.devices.tally(project));
  const { filter, selected } = await selectFleet(parts, project, view, running);
  if (view.members !== undefined && selected === undefined) {
    const message = 'The rollout has ended, so its devices are no longer listed.';
    throw new DomainError('conflict', message, 'Select the devices by status and version.');
  }
  return { filter };
}

/** @throws DomainError invalid */
function actionOf(name: BulkActionName, value: string): BulkAction {
  const setting = value === '' ? null : value;
  switch (name) {
    case 'retry':
    case 'remove':
      return { kind: name };
    case 'enroll':
      return { kind: 'change', change: { enrolled: true } };
    case 'add-label':
      return { kind: 'label', add: checked(resourceName, value) };
    case 'remove-label':
      return { kind: 'label', remove: checked(resourceName, value) };
    default:
      return { kind: 'change', change: checked(changeDevicesRequestSchema.entries.change, { [name]: setting }) };
  }
}

async function askPage(
  context: PageContext,
  parts: ServerParts,
  project: string,
  request: BulkRequest,
  isChanged = false,
): Promise<Response> {
  const { name, value, action, target, macs, view } = request;
  const { formToken } = context.get('session');
  const isPreviewed = name === 'pin' || name === 'board';
  const preview =
    isPreviewed && action.kind === 'change' ? await previewChange(parts, project, target, action.change) : undefined;
  const title = titleOf(name, value, macs.length);
  return show(
    context,
    <Page title={`${title}?`} project={project} tab="devices" here={bulkActions[name].label} {...frameOf(context)}>
      <h1>
        <Sentence text={`${title}?`} />
      </h1>
      {isChanged ? (
        <p class="problem" role="alert">
          These are no longer the same devices as on the last page. Nothing was done yet.
        </p>
      ) : undefined}
      <p>{warningOf(name)}</p>
      {preview === undefined ? undefined : <Preview preview={preview} total={macs.length} />}
      <SendForm action={`${projectPath(project, 'devices')}/bulk/confirm`} formToken={formToken}>
        <ViewFields view={view} />
        <input type="hidden" name="action" value={name} />
        <input type="hidden" name="value" value={value} />
        <input type="hidden" name="devices" value={digestOf(macs)} />
        <input type="hidden" name="scope" value={'filter' in target ? 'all' : 'selected'} />
        {'macs' in target
          ? target.macs.map((mac) => <input type="hidden" name={`mac-${mac}`} value="yes" />)
          : undefined}
        <div class="actions">
          <button class={name === 'remove' ? 'danger' : 'main'} type="submit">
            {`${bulkActions[name].label}: ${counted(macs.length, 'device')}`}
          </button>
          <span class="alone">
            <a href={fleetPath(project, view)}>Cancel</a>
          </span>
        </div>
      </SendForm>
    </Page>,
  );
}

/** Identifies a list of devices. Their number is not enough: while some devices begin to match a filter, others may cease to match. */
function digestOf(macs: readonly string[]): string {
  return createHash('sha256').update(macs.join()).digest('hex');
}

function titleOf(name: BulkActionName, value: string, count: number): string {
  const devices = counted(count, 'device');
  switch (name) {
    case 'retry':
      return `Retry the failed updates of ${devices}`;
    case 'enroll':
      return `Enroll ${devices}`;
    case 'remove':
      return `Remove ${devices}`;
    case 'add-label':
      return `Add the label ${value} to ${devices}`;
    case 'remove-label':
      return `Remove the label ${value} from ${devices}`;
    case 'pin':
      return value === '' ? `Unpin ${devices}` : `Pin ${devices} to ${value}`;
    default:
      return value === '' ? `Remove the ${name} of ${devices}` : `Set the ${name} of ${devices} to ${value}`;
  }
}

function warningOf(name: BulkActionName): string {
  switch (name) {
    case 'retry':
      return `Devices in a rollout keep its stages, gates and halt limits. Of the other devices, ${retriedAtOnce} are retried first; the next ones can be retried if fewer than 10% of these fail again.`;
    case 'remove':
      return 'Removes the records with names, settings and update attempts. A device that checks in again is added as a new device. This cannot be undone.';
    case 'pin':
      return 'Pinned devices are sent only this version, regardless of channels and rollouts.';
    case 'add-label':
      return `Devices that already have this label, or ${mostLabels} labels, are not changed.`;
    case 'board':
      return 'The board determines which images a device is sent.';
    default:
      return 'Devices that already have this setting are not changed.';
  }
}

/** Shows what preflight decides about the devices after the change. */
function Preview({ preview, total }: { preview: BulkPreview; total: number }) {
  const { devices, send, upToDate, none } = preview;
  const rows: readonly (readonly [string, number])[] = [
    ['Sent an update', send],
    ['Up to date', upToDate],
    ...none.map(([code, count]) => [code, count] as const),
  ];
  return (
    <>
      <h2>Next update checks after this change</h2>
      {devices < total ? <p>{`Checked for the first ${countText(devices)} devices.`}</p> : undefined}
      <table class="rows">
        <caption class="hidden">Decisions of preflight</caption>
        <thead>
          <tr>
            <th scope="col">Decision</th>
            <th scope="col">Devices</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([text, count]) => (
            <tr>
              <th scope="row">{text}</th>
              <td class="number" data-label="Devices">
                {countText(count)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
