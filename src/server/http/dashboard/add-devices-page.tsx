import { importRequestSchema } from '../../../api/device-sets.ts';
import type { ServerParts } from '../../parts.ts';
import { importDevices } from '../../services/devices/import-devices.ts';
import { DomainError } from '../../services/domain-error.ts';
import { checked } from '../api/session.ts';
import { doneQuery } from './done.tsx';
import { InputField, linesIn, namesIn } from './form-field.tsx';
import { FormProblem, formProblem } from './form-problem.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { type Form, type PageContext, readForm, requireRoleFor } from './page-login.ts';
import { projectPath, withQuery } from './paths.ts';
import { SendForm } from './send-form.tsx';

/** Shows the form that enrolls devices, also those that have never checked in. */
export function addDevicesPage(context: PageContext, project: string) {
  requireRoleFor(context, 'devices');
  return showForm(context, { project, form: {} });
}

/** Enrolls the devices in a form. Devices that are known already keep the settings that the form leaves empty. */
export async function addDevices(context: PageContext, parts: ServerParts, project: string) {
  const form = await readForm(context, 'devices');
  try {
    const shared = { group: textOf(form, 'group'), board: textOf(form, 'board'), labels: labelsOf(form) };
    const lines = linesIn(form['devices']);
    if (lines.length === 0) {
      throw new DomainError('invalid', 'no device is listed', 'Enter one device a line: its MAC address, and a name.');
    }
    const { devices } = checked(importRequestSchema, {
      devices: lines.map((line) => ({ ...deviceOf(line), ...shared })),
    });
    const done = await importDevices(parts.records, {
      ...{ project, devices, dryRun: false, by: context.get('token').id },
    });
    const changed = done.filter(({ change }) => change !== 'unchanged').length;
    return context.redirect(withQuery(projectPath(project, 'devices'), doneQuery('changed-all', changed)), 303);
  } catch (error) {
    return showForm(context, { project, form, ...formProblem(error, parts) });
  }
}

/** @throws DomainError invalid */
function deviceOf(line: string): { readonly mac: string; readonly name: string | undefined } {
  const [, mac, name] = /^([0-9a-f]{2}(?::[0-9a-f]{2}){5})(?:[\s,;]+(.+))?$/i.exec(line) ?? [];
  if (mac !== undefined) return { mac, name };
  const hint = 'Write one device a line: its MAC address, and a name if you like.';
  throw new DomainError('invalid', `"${line.slice(0, 80)}" does not begin with a MAC address`, hint);
}

function textOf(form: Form, name: string): string | undefined {
  return form[name]?.trim() || undefined;
}

function labelsOf(form: Form): readonly string[] | undefined {
  const labels = namesIn(form['labels']);
  return labels.length === 0 ? undefined : labels;
}

interface State {
  readonly project: string;
  readonly form: Form;
  readonly problem?: DomainError | undefined;
  readonly status?: Parameters<typeof show>[2];
}

function showForm(context: PageContext, { project, form, problem, status }: State) {
  return show(
    context,
    <Page
      title={problem === undefined ? 'Add devices' : 'Devices not added'}
      project={project}
      tab="devices"
      here="Add devices"
      {...frameOf(context)}
    >
      <h1>Add devices</h1>
      <FormProblem problem={problem} />
      <SendForm
        action={projectPath(project, 'devices', 'new')}
        formToken={context.get('session').formToken}
        class="task"
      >
        <InputField
          name="devices"
          label="Devices, one a line"
          value={form['devices']}
          rows={6}
          hint="The MAC address and, if you like, a name: 18:FE:34:AA:BB:CC front door"
          more={{ required: true }}
        />
        <InputField name="group" label="Group of all of them" value={form['group']} more={{ maxlength: 64 }} />
        <InputField name="board" label="Board" value={form['board']} more={{ maxlength: 64 }} />
        <InputField name="labels" label="Labels, separated by spaces" value={form['labels']} />
        <p class="quiet">The devices are enrolled. Known devices keep the settings that you leave empty.</p>
        <button class="main" type="submit">
          Add the devices
        </button>
      </SendForm>
    </Page>,
    status,
  );
}
