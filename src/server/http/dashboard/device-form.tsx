import type { DeviceRecord } from '../../storage/records.ts';
import { devicePath } from './paths.ts';
import { SendForm } from './send-form.tsx';

interface DeviceFormProps {
  readonly record: DeviceRecord;
  readonly formToken: string;
  /** Versions to which the device can be pinned, newest first. */
  readonly versions: readonly string[];
}

/** Settings of a device as the fields of its form contain them. */
export type DeviceFields = Readonly<Record<(typeof deviceFields)[number], string>>;
export const deviceFields = ['name', 'group', 'labels', 'board', 'channel', 'pin', 'enrolled'] as const;

/** Returns the fields of the form for a device. */
export function fieldsOf(record: DeviceRecord): DeviceFields {
  const { name = '', group = '', labels = [], board = '', channel = '', pin = '', enrolled } = record;
  return { name, group, labels: labels.join(' '), board, channel, pin, enrolled: enrolled ? 'yes' : '' };
}

/**
 * Form for the settings of a device. It contains the settings before the change, so that two people do not overwrite each other's settings.
 */
export function DeviceForm({ record, formToken, versions }: DeviceFormProps) {
  const fields = fieldsOf(record);
  const path = devicePath(record.project, record.mac);
  return (
    <div class="actions">
      <details id="edit">
        <summary>Edit…</summary>
        <SendForm action={`${path}/save`} formToken={formToken}>
          <input type="hidden" name="before" value={JSON.stringify(fields)} />
          <Field id="name" label="Name" value={fields.name} />
          <Field id="group" label="Group" value={fields.group} />
          <Field id="labels" label="Labels, separated by spaces" value={fields.labels} longest={16 * 65} />
          <Field id="board" label="Board" value={fields.board} />
          <Field id="channel" label="Channel" value={fields.channel} />
          <Field id="pin" label="Pinned to version (empty for none)" value={fields.pin} list="versions" />
          <datalist id="versions">
            {versions.map((version) => (
              <option value={version} />
            ))}
          </datalist>
          <p>
            <input id="enrolled" type="checkbox" name="enrolled" value="yes" checked={fields.enrolled !== ''} />
            <label for="enrolled">Enrolled</label>
          </p>
          <button class="main" type="submit">
            Save
          </button>
        </SendForm>
      </details>
      <details id="ask-remove">
        <summary>Remove…</summary>
        <p>
          Removes the record with its settings and update attempts. If the device checks in again, it is added as a new
          device.
        </p>
        <SendForm action={`${path}/remove`} formToken={formToken}>
          <button class="danger" type="submit">
            Remove
          </button>
        </SendForm>
      </details>
    </div>
  );
}

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly longest?: number;
  readonly list?: string;
}

function Field({ id, label, value, longest = 64, list }: FieldProps) {
  return (
    <>
      <label for={id}>{label}</label>
      <input id={id} name={id} value={value} maxlength={longest} list={list} autocomplete="off" spellcheck={false} />
    </>
  );
}
