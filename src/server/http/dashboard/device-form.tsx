import type { DeviceRecord } from '../../storage/records.ts';
import { devicePath } from './paths.ts';
import { SendForm } from './send-form.tsx';

interface DeviceFormProps {
  readonly record: DeviceRecord;
  readonly formToken: string;
  /** Versions to which the device can be pinned, newest first. */
  readonly versions: readonly string[];
}

/** Form for the settings of a device. */
export function DeviceForm({ record, formToken, versions }: DeviceFormProps) {
  const { project, mac, name, board, channel, group, labels = [], pin, enrolled } = record;
  const path = devicePath(project, mac);
  return (
    <div class="actions">
      <details id="edit">
        <summary>Edit…</summary>
        <SendForm action={`${path}/save`} formToken={formToken}>
          <Field id="name" label="Name" value={name} />
          <Field id="group" label="Group" value={group} />
          <Field id="labels" label="Labels, separated by spaces" value={labels.join(' ')} longest={16 * 65} />
          <Field id="board" label="Board" value={board} />
          <Field id="channel" label="Channel" value={channel} />
          <Field id="pin" label="Pinned to version (empty for none)" value={pin} list="versions" />
          <datalist id="versions">
            {versions.map((version) => (
              <option value={version} />
            ))}
          </datalist>
          <p>
            <input id="enrolled" type="checkbox" name="enrolled" value="yes" checked={enrolled} />
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
  readonly value: string | undefined;
  readonly longest?: number;
  readonly list?: string;
}

function Field({ id, label, value = '', longest = 64, list }: FieldProps) {
  return (
    <>
      <label for={id}>{label}</label>
      <input id={id} name={id} value={value} maxlength={longest} list={list} autocomplete="off" spellcheck={false} />
    </>
  );
}
