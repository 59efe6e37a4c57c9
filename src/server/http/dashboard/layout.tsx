import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { printableLines } from '../../../core/model/unprintable.ts';
import { personNamed } from '../../storage/person-id.ts';
import type { TokenRecord } from '../../storage/records.ts';
import { alertsText, type RolloutAlert } from './alerts.tsx';
import { assetPath } from './assets.ts';
import type { PageContext } from './page-login.ts';
import { projectPath } from './paths.ts';
import { SendForm } from './send-form.tsx';

interface PageProps {
  readonly title: string;
  /** Logged-in user; undefined if no user is logged in. */
  readonly login?: { readonly token: TokenRecord; readonly formToken: string } | undefined;
  readonly project?: string | undefined;
  /** Project tab of the page. */
  readonly tab?: Tab | undefined;
  /** Name of a page below the tab, for the breadcrumbs. */
  readonly here?: Child;
  /** Query string for `/events`, which selects the changes to listen for. Undefined on pages that do not change. */
  readonly live?: string | undefined;
  /** Halted and stalled rollouts, which the page title and the project's tabs mark. */
  readonly alerts?: readonly RolloutAlert[] | undefined;
  readonly children?: Child;
}

type Tab = 'devices' | 'releases' | 'rollouts' | 'charts' | 'settings';
const tabs: readonly { readonly tab: Tab; readonly title: string }[] = [
  { tab: 'devices', title: 'Devices' },
  { tab: 'releases', title: 'Releases' },
  { tab: 'rollouts', title: 'Rollouts' },
  { tab: 'charts', title: 'Charts' },
  { tab: 'settings', title: 'Settings' },
];

/** Renders the frame shared by all pages. */
export function Page({ title, login, project, tab, here, live, alerts = [], children }: PageProps) {
  const ofProject = project === undefined ? alerts : alerts.filter((alert) => alert.project === project);
  const mark = ofProject.length === 0 ? '' : `(!) ${alertsText(ofProject)} · `;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${mark}${title} · ota-hooks`}</title>
        <link rel="icon" href={assetPath('icon.svg')} type="image/svg+xml" />
        <link rel="stylesheet" href={assetPath('style.css')} />
        {login === undefined ? undefined : <script src={assetPath('page.js')} defer />}
        {live === undefined ? undefined : <script src={assetPath('live.js')} defer data-events={`/events?${live}`} />}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="bar">
          <Crumbs project={project} tab={tab} here={here} />
          {login === undefined ? undefined : <Who {...login} />}
        </header>
        {project === undefined ? undefined : <Tabs project={project} current={tab} alerts={ofProject} />}
        <main id="main" tabindex={-1}>
          {children}
        </main>
      </body>
    </html>
  );
}

/** Shows the way from the overview to the page. */
function Crumbs({ project, tab, here }: Pick<PageProps, 'project' | 'tab' | 'here'>) {
  const current = tabs.find((each) => each.tab === tab);
  return (
    <nav aria-label="Breadcrumb">
      <ol class="crumbs">
        <li>
          <a class="brand" href="/">
            ota-hooks
          </a>
        </li>
        {project === undefined ? undefined : (
          <li>
            <a href={projectPath(project)}>{project}</a>
          </li>
        )}
        {project === undefined || current === undefined ? undefined : (
          <li>
            <a href={projectPath(project, current.tab)} aria-current={here === undefined ? 'page' : undefined}>
              {current.title}
            </a>
          </li>
        )}
        {here === undefined ? undefined : (
          <li>
            <span aria-current="page">{here}</span>
          </li>
        )}
      </ol>
    </nav>
  );
}

function Who({ token, formToken }: { token: TokenRecord; formToken: string }) {
  return (
    <div class="who">
      <span>
        {token.name} <span class="quiet">({token.roles.join(', ')})</span>
      </span>
      {personNamed(token.id) === undefined ? (
        <SendForm action="/logout" formToken={formToken}>
          <button type="submit">Log out</button>
        </SendForm>
      ) : (
        // The proxy logs people in again at the next request, so only the proxy can log them out.
        <input type="hidden" name="form" value={formToken} />
      )}
    </div>
  );
}

interface TabsProps {
  readonly project: string;
  readonly current: Tab | undefined;
  readonly alerts: readonly RolloutAlert[];
}

function Tabs({ project, current, alerts }: TabsProps) {
  return (
    <nav id="tabs" class="tabs" aria-label={`Project ${project}`} data-live>
      {tabs.map(({ tab, title }) => (
        <a href={projectPath(project, tab)} aria-current={tab === current ? 'page' : undefined}>
          {title}
          {tab === 'rollouts' && alerts.length > 0 ? <AlertMark alerts={alerts} /> : undefined}
        </a>
      ))}
    </nav>
  );
}

function AlertMark({ alerts }: { alerts: readonly RolloutAlert[] }) {
  return (
    <span class="mark" title={alertsText(alerts)}>
      <span aria-hidden="true">!</span>
      <span class="hidden">{`: ${alertsText(alerts)}`}</span>
    </span>
  );
}

/** Returns the frame properties that are the same for all pages in a login session. */
export function frameOf(context: PageContext): Pick<PageProps, 'login' | 'alerts'> {
  const login = { token: context.get('token'), formToken: context.get('session').formToken };
  return { login, alerts: context.get('alerts') };
}

/** Attributes with a path of this server. Text of a page contains no unescaped quotation marks, so only attributes match. */
const ownPaths = /( (?:href|src|action|formaction|data-events)=")\//g;

/**
 * Renders a page. Its paths are put below the base path here for all pages, so that no page has to know it. Control characters in names and
 * reports are escaped here too, because the pages themselves contain none.
 */
export async function show(context: PageContext, page: Child, status: ContentfulStatusCode = 200): Promise<Response> {
  const text = await html`<!doctype html>${page}`;
  const { basePath = '' } = context.var;
  const placed = basePath === '' ? String(text) : String(text).replace(ownPaths, `$1${basePath}/`);
  return context.html(printableLines(placed), status);
}
