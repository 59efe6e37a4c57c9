import type { Child } from 'hono/jsx';
import { type FleetQuery, fleetParameters } from './fleet-filter.ts';
import { projectPath } from './paths.ts';

/** Actions on several devices. `value` names the input that the action needs. */
export const bulkActions = {
  retry: { label: 'Retry', value: undefined },
  enroll: { label: 'Enroll', value: undefined },
  group: { label: 'Set the group', value: 'group' },
  'add-label': { label: 'Add a label', value: 'label' },
  'remove-label': { label: 'Remove a label', value: 'label' },
  board: { label: 'Set the board', value: 'board' },
  pin: { label: 'Pin to a version', value: 'version' },
  remove: { label: 'Remove from the project', value: undefined },
} as const;
export type BulkActionName = keyof typeof bulkActions;

interface BulkFormProps {
  readonly project: string;
  readonly view: FleetQuery;
  /** Undefined if the user may not change devices. */
  readonly formToken: string | undefined;
  readonly isEmpty: boolean;
  /** List of the devices, with a checkbox for each. */
  readonly children?: Child;
}

/** Form around the list of devices. It opens a page that asks for confirmation. */
export function BulkForm({ project, view, formToken, isEmpty, children }: BulkFormProps) {
  if (formToken === undefined || isEmpty) return <>{children}</>;
  return (
    <form method="post" action={`${projectPath(project, 'devices')}/bulk`}>
      <input type="hidden" name="form" value={formToken} />
      <ViewFields view={view} />
      {children}
      <fieldset class="bulk">
        <legend>Change several devices</legend>
        <div class="filter">
          <div>
            <label for="bulk-scope">Devices</label>
            <select id="bulk-scope" name="scope">
              <option value="selected">Selected above</option>
              <option value="all">All that match the filter</option>
            </select>
          </div>
          <div>
            <label for="bulk-action">Action</label>
            <select id="bulk-action" name="action">
              {Object.entries(bulkActions).map(([name, { label }]) => (
                <option value={name}>{label}</option>
              ))}
            </select>
          </div>
          <div>
            <label for="bulk-value">Group, label, board or version</label>
            <input id="bulk-value" name="value" maxlength={64} autocomplete="off" spellcheck={false} />
          </div>
          <button type="submit">Continue…</button>
        </div>
      </fieldset>
    </form>
  );
}

/** Hidden fields with the parameters of a view. */
export function ViewFields({ view }: { view: FleetQuery }) {
  return (
    <>
      {Object.entries(fleetParameters({ filter: view.filter, members: view.members })).map(([name, value]) =>
        typeof value === 'string' ? <input type="hidden" name={`view-${name}`} value={value} /> : undefined,
      )}
    </>
  );
}
