import { type WebhookFormat, webhookEvents, webhookFormats, webhookRequestSchema } from '../../../api/webhooks.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { addWebhook, redeliver, removeWebhook, requireWebhook } from '../../services/webhooks/manage-webhooks.ts';
import type { DeliveryRecord, WebhookRecord } from '../../storage/records.ts';
import { checked } from '../api/session.ts';
import { Done, doneQuery, doneText } from './done.tsx';
import { Facts } from './facts.tsx';
import { CheckBox, InputField, Select } from './form-field.tsx';
import { FormProblem, formProblem } from './form-problem.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { type Form, type PageContext, requireAdministrator } from './page-login.ts';
import { withQuery } from './paths.ts';
import { SendForm } from './send-form.tsx';
import { Snippet } from './snippet.tsx';
import { readAdministratorForm } from './tokens-page.tsx';
import { When } from './when.tsx';

const place = '/webhooks';
const deliveriesPerPage = 50;

const formatWords: Readonly<Record<WebhookFormat, string>> = {
  standard: 'JSON (Standard Webhooks)',
  ntfy: 'ntfy',
  slack: 'Slack, Mattermost',
  discord: 'Discord',
};

/** Shows all webhooks, without their URLs and secrets. */
export function webhooksPage(context: PageContext, parts: ServerParts) {
  requireAdministrator(context);
  return showWebhooks(context, parts, { form: {} });
}

/** Adds the webhook in a form. The response is the only page that contains its secret. */
export async function addFromPage(context: PageContext, parts: ServerParts) {
  const form = await readAdministratorForm(context);
  try {
    const request = checked(webhookRequestSchema, {
      url: form['url']?.trim() ?? '',
      events: webhookEvents.filter((event) => form[event] === 'yes'),
      project: form['project'] || undefined,
      format: form['format'],
      allowPrivate: form['allowPrivate'] === 'yes',
    });
    const added = await addWebhook(parts, request, context.get('token').id);
    return showWebhooks(context, parts, { form: {}, added, status: 201 });
  } catch (error) {
    return showWebhooks(context, parts, { form, ...formProblem(error, parts) });
  }
}

/** Shows a webhook with its latest deliveries. */
export async function webhookPage(context: PageContext, parts: ServerParts, id: string) {
  requireAdministrator(context);
  const webhook = await requireWebhook(parts, numberOf(id));
  const deliveries = await parts.store.webhooks.deliveries(webhook.id, { limit: deliveriesPerPage });
  const { origin } = new URL(webhook.url);
  const { formToken } = context.get('session');
  return show(
    context,
    <Page title={`Webhook ${webhook.id}`} here={`Webhook ${webhook.id}`} {...frameOf(context)}>
      <h1>Webhook {webhook.id}</h1>
      <Done text={doneText(context)} />
      <Facts
        facts={[
          ['Receiver', origin],
          ['Events', webhook.events.join(', ')],
          ['Project', webhook.project ?? 'all'],
          ['Format', formatWords[webhook.format]],
          ['Private addresses', webhook.allowPrivate ? 'permitted' : 'not permitted'],
          ['Added', <When at={webhook.createdAt} />],
        ]}
      />
      <details id="remove">
        <summary>Remove…</summary>
        <p>Removes the webhook and its deliveries. Events that are waiting are not sent.</p>
        <SendForm action={`${place}/${webhook.id}/remove`} formToken={formToken}>
          <button class="danger" type="submit">
            Remove
          </button>
        </SendForm>
      </details>
      <h2>Latest deliveries</h2>
      {deliveries.length === 0 ? <p class="quiet">No events yet.</p> : <Deliveries {...{ deliveries, formToken }} />}
      <p class="alone">
        <a href={place}>All webhooks</a>
      </p>
    </Page>,
  );
}

export async function removeFromPage(context: PageContext, parts: ServerParts, id: string) {
  await readAdministratorForm(context);
  await removeWebhook(parts, numberOf(id), context.get('token').id);
  return context.redirect(withQuery(place, doneQuery('removed-webhook')), 303);
}

export async function redeliverFromPage(context: PageContext, parts: ServerParts, id: string, delivery: string) {
  await readAdministratorForm(context);
  const webhook = numberOf(id);
  await redeliver(parts, webhook, numberOf(delivery), context.get('token').id);
  return context.redirect(withQuery(`${place}/${webhook}`, doneQuery('queued')), 303);
}

/** @throws DomainError not-found */
function numberOf(id: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new DomainError('not-found', 'Webhook not found.', 'Open the list of webhooks.');
}

interface State {
  readonly form: Form;
  readonly added?: WebhookRecord;
  readonly problem?: DomainError;
  readonly status?: Parameters<typeof show>[2];
}

async function showWebhooks(context: PageContext, { store, catalog }: ServerParts, state: State) {
  const { form, added, problem, status } = state;
  const webhooks = await store.webhooks.list();
  const pending = await store.webhooks.pending();
  const { formToken } = context.get('session');
  const title = problem === undefined ? (added === undefined ? 'Webhooks' : 'Webhook added') : 'Webhook not added';
  return show(
    context,
    <Page title={title} here="Webhooks" {...frameOf(context)}>
      <h1>Webhooks</h1>
      <FormProblem problem={problem} />
      <Done text={doneText(context)} />
      {added === undefined ? undefined : (
        <section class="card" aria-labelledby="added">
          <h2 id="added">Webhook {added.id} was added</h2>
          <p role="status">
            Copy its secret now: it is shown only once. The receiver verifies the signatures of events with it.
          </p>
          <Snippet id="secret" text={added.secret} />
        </section>
      )}
      {webhooks.length === 0 ? <p>No webhooks yet. A webhook sends events to another system.</p> : undefined}
      {webhooks.length === 0 ? undefined : (
        <table class="rows">
          <caption class="hidden">{counted(webhooks.length, 'webhook')}</caption>
          <thead>
            <tr>
              <th scope="col">Receiver</th>
              <th scope="col">Events</th>
              <th scope="col">Project</th>
              <th scope="col">Format</th>
              <th scope="col">Waiting</th>
            </tr>
          </thead>
          <tbody>
            {webhooks.map(({ id, url, events, project, format }) => (
              <tr>
                <th scope="row">
                  <a href={`${place}/${id}`}>
                    {id}: {new URL(url).origin}
                  </a>
                </th>
                <td data-label="Events">{events.join(', ')}</td>
                <td data-label="Project">{project ?? 'all'}</td>
                <td data-label="Format">{format}</td>
                <td class="number" data-label="Waiting">
                  {pending.get(id)?.events ?? 0}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h2>Add a webhook</h2>
      <SendForm action={place} formToken={formToken} class="task">
        <InputField
          name="url"
          label="URL of the receiver"
          value={form['url']}
          hint="The URL is a secret. Later, only its origin is shown."
          more={{ type: 'url', required: true, maxlength: 2000 }}
        />
        <fieldset>
          <legend>Events</legend>
          {webhookEvents.map((event) => (
            <CheckBox name={event} label={event} isChecked={form[event] === 'yes'} />
          ))}
        </fieldset>
        <Select
          name="project"
          label="Project"
          values={[['', 'All projects'], ...catalog.views().map(({ project: { name } }) => [name, name] as const)]}
          chosen={form['project'] ?? ''}
        />
        <Select
          name="format"
          label="Format"
          values={webhookFormats.map((format) => [format, formatWords[format]])}
          chosen={form['format'] ?? 'standard'}
        />
        <CheckBox
          name="allowPrivate"
          label="Permit private, loopback and link-local addresses"
          isChecked={form['allowPrivate'] === 'yes'}
        />
        <button class="main" type="submit">
          Add the webhook
        </button>
      </SendForm>
    </Page>,
    status,
  );
}

function Deliveries({ deliveries, formToken }: { deliveries: readonly DeliveryRecord[]; formToken: string }) {
  return (
    <table class="rows">
      <caption class="hidden">Latest deliveries, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Event</th>
          <th scope="col">State</th>
          <th scope="col">Result</th>
          <th scope="col">Again</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map(({ id, webhook, at, event, state, attempts, status, error }) => (
          <tr>
            <th scope="row">
              <When at={at} />
            </th>
            <td data-label="Event">{event}</td>
            <td data-label="State">{`${state}, ${counted(attempts, 'attempt')}`}</td>
            <td data-label="Result">{[status, error].filter((part) => part !== undefined).join(': ') || '–'}</td>
            <td>
              <SendForm action={`${place}/${webhook}/deliveries/${id}/redeliver`} formToken={formToken}>
                <button type="submit" aria-label={`Send delivery ${id} again`}>
                  Send again
                </button>
              </SendForm>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
