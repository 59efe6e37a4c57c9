import { type Role, roles } from '../../../api/release.ts';
import { defaultTokenName, tokenRequestSchema } from '../../../api/release-admin.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { createToken, revokeToken } from '../../services/tokens.ts';
import type { TokenRecord } from '../../storage/records.ts';
import { checked } from '../api/session.ts';
import { Done, doneQuery, doneText } from './done.tsx';
import { CheckBox, InputField, namesIn, Select } from './form-field.tsx';
import { FormProblem, formProblem } from './form-problem.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { type Form, type PageContext, readForm, requireAdministrator } from './page-login.ts';
import { withQuery } from './paths.ts';
import { SendForm } from './send-form.tsx';
import { Snippet } from './snippet.tsx';
import { When } from './when.tsx';

const place = '/tokens';

/** Shows all tokens, without their secrets. */
export function tokensPage(context: PageContext, parts: ServerParts) {
  requireAdministrator(context);
  return showTokens(context, parts, { form: {} });
}

/** Creates the token in a form. The response is the only page that contains the token itself. */
export async function createFromPage(context: PageContext, parts: ServerParts) {
  const form = await readAdministratorForm(context);
  try {
    const request = checked(tokenRequestSchema, {
      roles: roles.filter((role) => form[`role-${role}`] === 'yes'),
      channels: namesIn(form['channels']),
      project: form['project'] || undefined,
      name: form['name']?.trim() || undefined,
      person: form['person']?.trim() || undefined,
    });
    if (request.project !== undefined && parts.catalog.view(request.project) === undefined) {
      throw new DomainError('invalid', `project ${request.project} not found`, 'Select a project of the list.');
    }
    const { record, token } = await createToken(parts, request, context.get('token').id);
    if (token === undefined) return context.redirect(withQuery(place, doneQuery('access')), 303);
    return showTokens(context, parts, { form: {}, created: { ...record, token }, status: 201 });
  } catch (error) {
    return showTokens(context, parts, { form, ...formProblem(error, parts) });
  }
}

/** Revokes a token. Sessions of the token end at once. */
export async function revokeFromPage(context: PageContext, parts: ServerParts, id: string) {
  await readAdministratorForm(context);
  await revokeToken(parts, id, context.get('token').id);
  return context.redirect(withQuery(place, doneQuery('revoked')), 303);
}

/** Reads a form that only an admin for all projects may send. */
export async function readAdministratorForm(context: PageContext): Promise<Form> {
  const form = await readForm(context, 'administer');
  requireAdministrator(context);
  return form;
}

interface State {
  readonly form: Form;
  readonly created?: TokenRecord & { readonly token: string };
  readonly problem?: DomainError;
  readonly status?: Parameters<typeof show>[2];
}

async function showTokens(context: PageContext, { store, catalog, authHeader }: ServerParts, state: State) {
  const { form, created, problem, status } = state;
  const tokens = await store.tokens.list();
  const { formToken } = context.get('session');
  const title = problem === undefined ? (created === undefined ? 'Tokens' : 'Token created') : 'Token not created';
  return show(
    context,
    <Page title={title} here="Tokens" {...frameOf(context)}>
      <h1>Tokens</h1>
      <FormProblem problem={problem} />
      <Done text={doneText(context)} />
      {created === undefined ? undefined : <Created {...created} />}
      <table class="rows">
        <caption class="hidden">{counted(tokens.length, 'token')}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">ID</th>
            <th scope="col">Roles</th>
            <th scope="col">Project</th>
            <th scope="col">Channels</th>
            <th scope="col">Created</th>
            <th scope="col">Revoke</th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <TokenRow token={token} isOwn={token.id === context.get('token').id} formToken={formToken} />
          ))}
        </tbody>
      </table>
      <h2>Create a token</h2>
      <SendForm action={place} formToken={formToken} class="task">
        <InputField
          name="name"
          label="Name"
          value={form['name']}
          hint="Shown in this list and in the audit log, such as the name of a person or of a build server."
          more={{ maxlength: 64, placeholder: defaultTokenName }}
        />
        {authHeader === undefined ? undefined : (
          <InputField
            name="person"
            label="Person (instead of a token)"
            value={form['person']}
            hint={`Exactly as the proxy sends the name in ${authHeader}. The person needs no token.`}
            more={{ maxlength: 64 }}
          />
        )}
        <fieldset>
          <legend>Roles</legend>
          {roles.map((role) => (
            <CheckBox
              name={`role-${role}`}
              label={`${role}: ${roleWords[role]}`}
              isChecked={form[`role-${role}`] === 'yes'}
            />
          ))}
        </fieldset>
        <Select
          name="project"
          label="Project"
          values={[['', 'All projects'], ...catalog.views().map(({ project: { name } }) => [name, name] as const)]}
          chosen={form['project'] ?? ''}
        />
        <InputField
          name="channels"
          label="Channels to which a publish token may promote releases"
          value={form['channels']}
          hint="Separated by spaces."
        />
        <button class="main" type="submit">
          Create the token
        </button>
      </SendForm>
    </Page>,
    status,
  );
}

/** Short descriptions of the roles. docs/server.md contains the full table. */
const roleWords: Readonly<Record<Role, string>> = {
  read: 'view everything except tokens and the audit log',
  publish: 'also upload builds and publish drafts',
  operate: 'also promote, yank, and control rollouts and devices',
  admin: 'everything',
};

function Created({ id, token }: { readonly id: string; readonly token: string }) {
  return (
    <section class="card" aria-labelledby="created">
      <h2 id="created">Token {id} was created</h2>
      <p role="status">Copy it now: it is shown only once.</p>
      <Snippet id="token" text={token} />
    </section>
  );
}

interface RowProps {
  readonly token: TokenRecord;
  /** True for the token of this session. */
  readonly isOwn: boolean;
  readonly formToken: string;
}

function TokenRow({ token, isOwn, formToken }: RowProps) {
  const { id, name, roles: held, project, channels, createdAt } = token;
  return (
    <tr>
      <th scope="row">
        {name}
        {isOwn ? ' (this session)' : ''}
      </th>
      <td data-label="ID">
        <code>{id}</code>
      </td>
      <td data-label="Roles">{held.join(', ') || 'none'}</td>
      <td data-label="Project">{project ?? 'all'}</td>
      <td data-label="Channels">{channels.join(', ') || '–'}</td>
      <td data-label="Created">
        <When at={createdAt} />
      </td>
      <td>
        <details id={`revoke-${id}`}>
          <summary aria-label={`Revoke ${name}`}>Revoke…</summary>
          <p>Ends all access with this token at once, including sessions in a browser.</p>
          <SendForm action={`${place}/${encodeURIComponent(id)}/revoke`} formToken={formToken}>
            <button class="danger" type="submit">
              Revoke {name}
            </button>
          </SendForm>
        </details>
      </td>
    </tr>
  );
}
