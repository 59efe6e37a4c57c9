import * as v from 'valibot';
import { resourceName } from '../../../api/release.ts';
import { defaultHistory, defaultStalledAfterMs, mostHistoryDays } from '../../../api/release-admin.ts';
import { counted, exactDuration } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { changeProject } from '../../services/releases/change-project.ts';
import { newProject } from '../../services/releases/project.ts';
import type { ProjectRecord } from '../../storage/records.ts';
import { checked } from '../api/session.ts';
import { Done, doneQuery, doneText } from './done.tsx';
import { Facts } from './facts.tsx';
import { CheckBox, InputField, Select } from './form-field.tsx';
import { FormProblem, formProblem } from './form-problem.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { type Form, formTokenFor, mayLookAt, type PageContext, readForm } from './page-login.ts';
import { projectPath, withQuery } from './paths.ts';
import { SendForm } from './send-form.tsx';
import { settingsDigest, settingsForm, settingsRequest } from './settings-form.ts';

/** Shows the settings of a project. */
export function settingsPage(context: PageContext, parts: ServerParts, project: string) {
  return showSettings(context, projectOf(parts, project));
}

/** Saves the settings in a form. */
export async function saveSettings(context: PageContext, parts: ServerParts, name: string) {
  const form = await readForm(context, 'projects');
  const project = projectOf(parts, name);
  try {
    const token = context.get('token');
    await changeProject(parts, {
      project: name,
      request: settingsRequest(form, project),
      by: token.id,
      onlyProject: token.project,
      requireBefore: (before) => requireShown(form, before),
    });
    return context.redirect(withQuery(projectPath(name, 'settings'), doneQuery('saved')), 303);
  } catch (error) {
    return showSettings(context, projectOf(parts, name), { form, ...formProblem(error, parts) });
  }
}

/** Creates the project whose name is in a form, with the default settings. */
export async function createProject(context: PageContext, parts: ServerParts) {
  const form = await readForm(context, 'projects');
  const { name } = checked(v.strictObject({ name: resourceName }), { name: form['name']?.trim() });
  const token = context.get('token');
  if (!mayLookAt(token, name)) {
    const hint = 'Log in with a token for all projects.';
    throw new DomainError('role-missing', `Your token is valid only for the project ${token.project}.`, hint);
  }
  const requireBefore = (before: ProjectRecord | undefined) => {
    if (before === undefined) return;
    throw new DomainError('conflict', `the project ${name} already exists`, 'Open it on the overview.');
  };
  await changeProject(parts, { project: name, request: {}, by: token.id, onlyProject: token.project, requireBefore });
  return context.redirect(withQuery(projectPath(name, 'settings'), doneQuery('created')), 303);
}

/** @throws DomainError conflict */
function requireShown(form: Form, before: ProjectRecord | undefined): void {
  if (before !== undefined && settingsDigest(before) === form['before']) return;
  throw new DomainError(
    'conflict',
    'the settings were changed by another person',
    'Compare your entries with the current settings below, and save them again.',
  );
}

function projectOf({ catalog }: ServerParts, name: string): ProjectRecord {
  return catalog.view(name)?.project ?? newProject(name, []);
}

interface Rejected {
  readonly form: Form;
  readonly problem: DomainError;
  readonly status: Parameters<typeof show>[2];
}

function showSettings(context: PageContext, project: ProjectRecord, rejected?: Rejected) {
  const { name } = project;
  const formToken = formTokenFor(context, 'projects');
  return show(
    context,
    <Page
      title={rejected === undefined ? `Settings of ${name}` : `Not saved: settings of ${name}`}
      project={name}
      tab="settings"
      {...frameOf(context)}
    >
      <h1>Settings</h1>
      <FormProblem problem={rejected?.problem} />
      <Done text={doneText(context)} />
      {formToken === undefined || rejected !== undefined ? <SettingsFacts {...project} /> : undefined}
      {formToken === undefined ? undefined : (
        <SettingsForm project={project} formToken={formToken} form={rejected?.form ?? settingsForm(project)} />
      )}
    </Page>,
    rejected?.status,
  );
}

/** Shows the stored settings. */
function SettingsFacts(project: ProjectRecord) {
  const { access, keys, aliases, credential, confirmWithinMs, mostSends, publisherRules = [] } = project;
  const { stalledAfterMs = defaultStalledAfterMs, history = defaultHistory } = project;
  const kept = (days: number | undefined) => (days === undefined ? 'for ever' : counted(days, 'day'));
  return (
    <Facts
      facts={[
        ['Access', accessWords[access]],
        ['Public keys', keys.length === 0 ? 'none' : keys.map(({ fingerprint }) => <code>{fingerprint} </code>)],
        ['Aliases', aliases.map(({ path, channel }) => `${path} (${channel})`).join(', ') || 'none'],
        ['Password', credential === undefined ? 'not required' : `of the user ${credential.user}`],
        ['Confirmation', `within ${exactDuration(confirmWithinMs)}`],
        ['Complete downloads before a failure', String(mostSends)],
        ['Rollout is stalled after', exactDuration(stalledAfterMs)],
        ['Rules that publishers may override', publisherRules.join(', ') || 'none'],
        [
          'Second person for rollouts and promotions',
          project.approval === 'second-person' ? 'required' : 'not required',
        ],
        ['Check-ins are kept', kept(history.checkInDays)],
        ['Attempts are kept', kept(history.attemptDays)],
        ['The audit log is kept', kept(history.auditDays)],
      ]}
    />
  );
}

const accessWords = { open: 'All devices', closed: 'Only enrolled devices' } as const;
const days = { type: 'number', min: 1, max: mostHistoryDays, step: 1, inputmode: 'numeric' };

interface FormProps {
  readonly project: ProjectRecord;
  readonly formToken: string;
  readonly form: Form;
}

function SettingsForm({ project, formToken, form }: FormProps) {
  const { name, keys, credential } = project;
  const text = (field: string) => form[field] ?? '';
  return (
    <SendForm action={projectPath(name, 'settings')} formToken={formToken} class="task">
      <input type="hidden" name="before" value={settingsDigest(project)} />
      <Select
        name="access"
        label="Devices that are served"
        values={Object.entries(accessWords)}
        chosen={form['access']}
      />
      <h2>Signing keys</h2>
      {keys.length === 0 ? <p>Releases are unsigned.</p> : undefined}
      {keys.map(({ fingerprint }) => (
        <p>
          <input
            id={`key-${fingerprint}`}
            type="checkbox"
            name={`key-${fingerprint}`}
            value="yes"
            checked={form[`key-${fingerprint}`] === 'yes' || undefined}
          />
          <label for={`key-${fingerprint}`}>
            Releases may be signed with <code>{fingerprint}</code>
          </label>
        </p>
      ))}
      <InputField
        name="newKeys"
        label="Further public keys (PEM)"
        // A private key must not be part of a page.
        value={text('newKeys').includes('PRIVATE') ? '' : text('newKeys')}
        rows={4}
        hint="Content of public.key. Never enter a private key."
      />
      <h2>Devices</h2>
      <InputField
        name="aliases"
        label="Aliases, one a line"
        value={text('aliases')}
        rows={3}
        hint="Additional paths for update checks: PATH, or PATH=CHANNEL."
      />
      <InputField
        name="user"
        label="User name that devices must send"
        value={text('user')}
        hint={credential === undefined ? 'Empty: no password is required.' : 'Empty the field to require no password.'}
        more={{ maxlength: 64 }}
      />
      <InputField
        name="password"
        label={
          credential === undefined ? 'Password that devices must send' : 'New password (empty to keep the current one)'
        }
        more={{ type: 'password', autocomplete: 'new-password', maxlength: 128 }}
      />
      <InputField
        name="confirmWithin"
        label="Time in which a device must confirm an update, in minutes"
        value={text('confirmWithin')}
        more={{ type: 'number', min: 0, step: 'any', inputmode: 'decimal' }}
      />
      <InputField
        name="mostSends"
        label="Complete downloads after which an update counts as failed"
        value={text('mostSends')}
        more={{ type: 'number', min: 1, max: 20, step: 1, inputmode: 'numeric' }}
      />
      <h2>Releases and rollouts</h2>
      <InputField
        name="stalledAfter"
        label="Time without an updated device after which a rollout is stalled, in hours"
        value={text('stalledAfter')}
        more={{ type: 'number', min: 0, step: 'any', inputmode: 'decimal' }}
      />
      <InputField
        name="rules"
        label="Preflight rules that publishers may override, separated by spaces"
        value={text('rules')}
      />
      <CheckBox
        name="approval"
        label="A second person must approve the start of rollouts and promotions"
        isChecked={form['approval'] === 'yes'}
      />
      <h2>History</h2>
      <InputField
        name="checkInDays"
        label="Days for which check-ins and addresses are kept"
        value={text('checkInDays')}
        hint="In these three fields, empty means for ever."
        more={days}
      />
      <InputField name="attemptDays" label="Days for which attempts are kept" value={text('attemptDays')} more={days} />
      <InputField name="auditDays" label="Days for which the audit log is kept" value={text('auditDays')} more={days} />
      <button class="main" type="submit">
        Save
      </button>
    </SendForm>
  );
}
