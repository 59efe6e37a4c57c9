import { counted, countText } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import { requestRollout } from '../../services/approvals/approvals.ts';
import type { DomainError } from '../../services/domain-error.ts';
import { type PreviewReason, previewRollout, type RolloutPreview } from '../../services/rollouts/preview-rollout.ts';
import { needsApproval } from './approvals-page.tsx';
import { doneQuery } from './done.tsx';
import { FormProblem, formProblem } from './form-problem.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { type Form, type PageContext, readForm, requireRoleFor, withLineFeeds } from './page-login.ts';
import { devicePath, projectPath, withQuery } from './paths.ts';
import { type RolloutField, rolloutDefaults, rolloutFields, rolloutRequestOf } from './rollout-form.ts';
import { gateText, haltText, stageText } from './rollout-words.ts';
import { SendForm } from './send-form.tsx';

/** Shows the form for a new rollout or, with `check`, what the rollout would do. The content of the form is in the URL. */
export async function rolloutWizard(context: PageContext, parts: ServerParts, project: string) {
  requireRoleFor(context, 'rollouts');
  const { check, ...fields } = context.req.query();
  const query = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, withLineFeeds(value)]));
  const form = check === undefined ? { ...rolloutDefaults, ...query } : query;
  if (check === undefined) return showForm(context, parts, { project, form });
  try {
    const request = rolloutRequestOf(form);
    const by = context.get('token').id;
    const preview = await previewRollout(parts, { project, request, by, now: parts.clock.now() });
    const isApproved = needsApproval(parts, project);
    return show(context, <PreviewPage {...{ context, project, form, preview, isApproved }} />);
  } catch (error) {
    return showForm(context, parts, { project, form, ...formProblem(error, parts) });
  }
}

/** Starts the rollout in a form. */
export async function startFromPage(context: PageContext, parts: ServerParts, project: string) {
  const form = await readForm(context, 'rollouts');
  try {
    const request = rolloutRequestOf(form);
    const token = context.get('token');
    if (needsApproval(parts, project)) {
      await requestRollout(parts, { project, request, by: token });
      return context.redirect(withQuery(projectPath(project, 'approvals'), doneQuery('requested')), 303);
    }
    const { id } = await parts.rollouts.start({ project, request, by: token.id, now: parts.clock.now() });
    return context.redirect(projectPath(project, 'rollouts', id), 303);
  } catch (error) {
    return showForm(context, parts, { project, form, ...formProblem(error, parts) });
  }
}

interface FormState {
  readonly project: string;
  readonly form: Form;
  readonly problem?: DomainError | undefined;
  readonly status?: Parameters<typeof show>[2];
}

async function showForm(context: PageContext, { store }: ServerParts, { project, form, problem, status }: FormState) {
  const { versions } = await store.catalog.versions(project, { limit: 20 });
  const field = (name: RolloutField, label: string, more: object = {}) => (
    <div>
      <label for={name}>{label}</label>
      <input id={name} name={name} value={form[name]} autocomplete="off" {...more} />
    </div>
  );
  const count = { type: 'number', min: 1, step: 1, inputmode: 'numeric' };
  return show(
    context,
    <Page
      title={problem === undefined ? 'New rollout' : 'Rollout not started'}
      project={project}
      tab="rollouts"
      {...frameOf(context)}
    >
      <h1>New rollout</h1>
      <FormProblem problem={problem} />
      <form method="get" action={projectPath(project, 'rollouts', 'new')} class="task">
        <input type="hidden" name="check" value="yes" />
        {field('version', 'Version', { required: true, list: 'versions' })}
        <datalist id="versions">
          {versions.map(({ version }) => (
            <option value={version} />
          ))}
        </datalist>
        {field('channel', 'Channel', { required: true })}
        <label for="stages">Stages, one a line</label>
        <textarea id="stages" name="stages" rows={5} required aria-describedby="stages-hint">
          {form['stages']}
        </textarea>
        <p id="stages-hint" class="quiet">
          A percentage of the enrolled devices, canary=NAME or group=NAME, separated by commas. The last stage is 100.
        </p>
        <h2>Gate</h2>
        {field('running', 'Percentage of devices that must run the release', { ...count, max: 100 })}
        {field('soak', 'Time for which they must run it, in minutes', { type: 'number', min: 0, step: 'any' })}
        <h2>Halt</h2>
        {field('failures', 'Failed devices', count)}
        {field('percent', 'Percentage of failed devices', { ...count, max: 100 })}
        {field('sample', 'Finished devices before the percentage counts', count)}
        {field('unconfirmed', 'Devices that do not confirm the update', count)}
        <h2>Window and pace</h2>
        {field('from', 'Send from', { type: 'time' })}
        {field('to', 'Send until', { type: 'time' })}
        {field('zone', 'Time zone', { placeholder: 'Europe/Berlin' })}
        {field('pace', 'Devices per hour at most', count)}
        <button class="main" type="submit">
          Check the rollout
        </button>
        <p class="quiet">The next page shows the devices of each stage. Nothing is sent yet.</p>
      </form>
    </Page>,
    status,
  );
}

interface PreviewProps {
  readonly context: PageContext;
  readonly project: string;
  readonly form: Form;
  readonly preview: RolloutPreview;
  /** True if a second person must approve the start. */
  readonly isApproved: boolean;
}

function PreviewPage({ context, project, form, preview, isApproved }: PreviewProps) {
  const { gate, halt, window, perHour, version, channel } = rolloutRequestOf(form);
  const values = rolloutFields.flatMap((name) => (form[name] === undefined ? [] : [[name, form[name]] as const]));
  const { stages, reasons } = preview;
  const blocked = stages.reduce((sum, stage) => sum + stage.blocked, 0);
  return (
    <Page title={`Check the rollout of ${version}`} project={project} tab="rollouts" {...frameOf(context)}>
      <h1>
        Rollout of {version} on {channel}
      </h1>
      <p class="lead">Nothing has been sent yet. Check the stages, then start the rollout.</p>
      <section class="scroll" aria-label="Stages" tabindex={0}>
        <table class="stage-counts">
          <caption class="hidden">Stages</caption>
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">Devices</th>
              <th scope="col">Ready</th>
              <th scope="col">Run it already</th>
              <th scope="col">Cannot take it</th>
              <th scope="col">Never checked in</th>
            </tr>
          </thead>
          <tbody>
            {stages.map(({ stage, devices, ready, running, blocked, unseen }, index) => (
              <tr>
                <th scope="row">
                  {index + 1}: {stageText(stage)}
                </th>
                {[devices, ready, running, blocked, unseen].map((count) => (
                  <td class="number">{countText(count)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="quiet">
        The stages count enrolled devices. A device that is not enrolled receives the release in the last stage.
      </p>
      <h2>Devices that cannot take the release</h2>
      {blocked === 0 ? <p>All devices that have checked in can take the release.</p> : undefined}
      <ul class="lines">
        {reasons.map((reason) => (
          <Reason project={project} reason={reason} />
        ))}
      </ul>
      <h2>Rules</h2>
      <p>{gateText(gate)}</p>
      <p>{haltText(halt)}</p>
      {window === undefined ? undefined : (
        <p>
          Sends from {window.from} to {window.to} ({window.timeZone}).
        </p>
      )}
      {perHour === undefined ? undefined : <p>Sends to {counted(perHour, 'device')} per hour at most.</p>}
      <SendForm action={projectPath(project, 'rollouts')} formToken={context.get('session').formToken} class="task">
        {values.map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <button class="main" type="submit">
          {isApproved ? 'Request approval' : 'Start the rollout'}
        </button>
      </SendForm>
      <p>
        <a class="card-link" href={withQuery(projectPath(project, 'rollouts', 'new'), Object.fromEntries(values))}>
          Change the rollout
        </a>
      </p>
    </Page>
  );
}

function Reason({ project, reason }: { readonly project: string; readonly reason: PreviewReason }) {
  const { text, rules, devices, examples } = reason;
  return (
    <li>
      {counted(devices, 'device')}: {text} {rules.length === 0 ? undefined : <code>{rules.join(', ')}</code>}
      <br />
      {examples.map(({ mac, name }, index) => (
        <>
          {index === 0 ? undefined : ', '}
          <a href={devicePath(project, mac)}>{name ?? mac}</a>
        </>
      ))}
      {devices > examples.length ? `, and ${countText(devices - examples.length)} more` : undefined}
    </li>
  );
}
