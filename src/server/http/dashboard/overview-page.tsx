import { deviceStatuses } from '../../../api/admin-info.ts';
import { counted, countText } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import { devicesNotEnrolled } from '../../services/devices/not-enrolled.ts';
import type { DeviceCount } from '../../storage/store.ts';
import { AlertBanner } from './alerts.tsx';
import { ApprovalsLink } from './approvals-page.tsx';
import { CountLink } from './count-link.tsx';
import { addressOf, FirstSteps } from './first-steps.tsx';
import { fleetPath } from './fleet-filter.ts';
import { InputField } from './form-field.tsx';
import { Version } from './identifiers.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { NotEnrolled } from './not-enrolled.tsx';
import { formTokenFor, mayAdminister, mayLookAt, type PageContext } from './page-login.ts';
import { projectPath } from './paths.ts';
import { SendForm } from './send-form.tsx';
import { ShareBar } from './share-bar.tsx';
import { statusWords } from './status-badge.tsx';

interface Summary {
  readonly name: string;
  /** Versions by channel. If a channel serves different versions to different boards, all of them are listed. */
  readonly channels: readonly (readonly [channel: string, versions: readonly string[]])[];
  readonly tally: readonly DeviceCount[];
}

/** Shows all projects that the token may read. */
export async function overviewPage(context: PageContext, parts: ServerParts) {
  const { catalog, store } = parts;
  const views = catalog.views().filter(({ project }) => mayLookAt(context.get('token'), project.name));
  const summaries = await Promise.all(
    views.map(
      async ({ project: { name }, channels }): Promise<Summary> => ({
        name,
        channels: [...channels].map(([channel, { current }]) => [
          channel,
          [...new Set(current.map(({ version }) => version))],
        ]),
        tally: await store.devices.tally(name),
      }),
    ),
  );
  return show(
    context,
    <Page title="Projects" live="" {...frameOf(context)}>
      <h1>Projects</h1>
      <AlertBanner alerts={context.get('alerts')} />
      <div id="projects" data-live>
        {summaries.length === 0 ? <NoProjects /> : undefined}
        {views.length === 0 && context.get('token').project === undefined ? (
          <FirstSteps address={addressOf(context, parts)} />
        ) : undefined}
        <ul class="cards">
          {summaries.map((summary) => (
            <li class="card">
              <ProjectCard {...summary} />
              <ApprovalsLink parts={parts} project={summary.name} />
            </li>
          ))}
        </ul>
        <NotEnrolled
          devices={await devicesNotEnrolled(parts, context.get('token').project)}
          formToken={formTokenFor(context, 'devices')}
        />
      </div>
      {mayAdminister(context.get('token')) ? <NewProject formToken={context.get('session').formToken} /> : undefined}
      <p class="quiet alone">
        <a href="/api">API</a>{' '}
        {mayAdminister(context.get('token')) ? (
          <>
            <a href="/tokens">Tokens</a> <a href="/webhooks">Webhooks</a> <a href="/audit">Audit log</a>
          </>
        ) : undefined}
      </p>
    </Page>,
  );
}

function NewProject({ formToken }: { readonly formToken: string }) {
  return (
    <details id="new-project">
      <summary>New project…</summary>
      <SendForm action="/projects" formToken={formToken} class="task">
        <InputField
          name="name"
          label="Name"
          hint="Devices check for updates at /update/NAME, so the name cannot be changed later."
          more={{ required: true, maxlength: 64 }}
        />
        <button class="main" type="submit">
          Create the project
        </button>
      </SendForm>
    </details>
  );
}

function NoProjects() {
  return (
    <p>
      No projects yet. The first <code>ota-hooks publish</code> with an admin token creates a project.
    </p>
  );
}

function ProjectCard({ name, channels, tally }: Summary) {
  const counts = deviceStatuses
    .map((status) => ({
      kind: status,
      count: tally.reduce((sum, each) => sum + (each.status === status ? each.devices : 0), 0),
    }))
    .filter(({ count }) => count > 0);
  const all = counts.reduce((sum, { count }) => sum + count, 0);
  const inWords = counts.map(({ kind, count }) => `${countText(count)} ${statusWords[kind].label}`).join(', ');
  return (
    <>
      <h2>
        <a href={projectPath(name, 'devices')}>{name}</a>
      </h2>
      {all === 0 ? undefined : <ShareBar label={`${name}: ${inWords}`} parts={counts} />}
      <p class="tally">
        <CountLink of={name} text={counted(all, 'device')} path={projectPath(name, 'devices')} />
        {counts.map(({ kind, count }) => (
          <span>
            <span class={`dot ${kind}`} aria-hidden="true" />{' '}
            <CountLink
              of={name}
              text={`${countText(count)} ${statusWords[kind].label}`}
              path={fleetPath(name, { filter: { status: kind } })}
            />
          </span>
        ))}
      </p>
      <dl class="facts">
        {channels.map(([channel, versions]) => (
          <div>
            <dt>{channel}</dt>
            <dd>{versions.length === 0 ? 'no release' : versions.map((version) => <Version version={version} />)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
