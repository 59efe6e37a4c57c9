import * as v from 'valibot';
import type { ServerParts } from '../../parts.ts';
import { type ActorNames, actorNames } from '../../services/tokens.ts';
import type { AuditEntry } from '../../storage/records.ts';
import { ActorName } from './actor.tsx';
import { Mac, Sentence, Version } from './identifiers.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { type PageContext, requireAdministrator } from './page-login.ts';
import { devicePath, projectPath, withQuery } from './paths.ts';
import { When } from './when.tsx';

const perPage = 100;
const longestText = 64;
const place = '/audit';

/** Filter of the page, as encoded in its URL. */
interface AuditQuery {
  /** Part of the name of a token, or its ID. */
  readonly who: string | undefined;
  readonly action: string | undefined;
  readonly project: string | undefined;
  /** Date such as 2026-11-30, in UTC. */
  readonly since: string | undefined;
}

/** Shows the audit log, newest entries first, to users who may read it in the API. */
export async function auditPage(context: PageContext, { store, catalog }: ServerParts): Promise<Response> {
  requireAdministrator(context);
  const query = readQuery((name) => context.req.query(name));
  const before = Number(/^\d{1,15}$/.exec(context.req.query('before') ?? '')?.[0] ?? Number.MAX_SAFE_INTEGER);
  const names = await actorNames(store);
  const entries = await store.audit.list({
    before,
    limit: perPage + 1,
    actors: query.who === undefined ? undefined : names.matching(query.who),
    action: query.action,
    project: query.project,
    since: query.since === undefined ? undefined : Date.parse(query.since),
  });
  const shown = entries.slice(0, perPage);
  const parameters = { ...query };
  return show(
    context,
    <Page title="Audit log" here="Audit log" {...frameOf(context)}>
      <h1>Audit log</h1>
      <FilterForm query={query} projects={catalog.views().map(({ project }) => project.name)} />
      {shown.length === 0 ? <p>No matching entries.</p> : <Entries entries={shown} names={names} />}
      <nav class="paging" aria-label="Pages">
        {before === Number.MAX_SAFE_INTEGER ? undefined : <a href={withQuery(place, parameters)}>Newest</a>}
        {entries.length <= perPage ? undefined : (
          <a rel="next" href={withQuery(place, { ...parameters, before: String(shown.at(-1)?.id) })}>
            Older
          </a>
        )}
      </nav>
      <p class="quiet">
        Other systems read the audit log as JSON lines: <code>GET /api/v1/audit/lines?after=ID</code>.
      </p>
    </Page>,
  );
}

function readQuery(query: (name: string) => string | undefined): AuditQuery {
  const text = (name: string) => query(name)?.trim().slice(0, longestText) || undefined;
  const action = text('action');
  const since = text('since');
  return {
    who: text('who'),
    action: action !== undefined && /^[a-z-]+(\.[a-z-]+)?$/.test(action) ? action : undefined,
    project: text('project'),
    since:
      since !== undefined && /^\d{4}-\d\d-\d\d$/.test(since) && !Number.isNaN(Date.parse(since)) ? since : undefined,
  };
}

function FilterForm({ query, projects }: { query: AuditQuery; projects: readonly string[] }) {
  const { who, action, project, since } = query;
  return (
    <search>
      <form class="filter" method="get" action={place} aria-label="Filter entries">
        <div>
          <label for="who">By (token name or ID)</label>
          <input id="who" name="who" value={who ?? ''} maxlength={longestText} autocomplete="off" spellcheck={false} />
        </div>
        <div>
          <label for="action">Action, such as device.removed or rollout</label>
          <input id="action" name="action" value={action ?? ''} maxlength={longestText} autocomplete="off" />
        </div>
        <div>
          <label for="project">Project</label>
          <select id="project" name="project">
            <option value="">Any</option>
            {projects.map((name) => (
              <option value={name} selected={name === project}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <div>
          <label for="since">Since (UTC)</label>
          <input id="since" name="since" type="date" value={since ?? ''} />
        </div>
        <button type="submit">Filter</button>
        {Object.values(query).some((value) => value !== undefined) ? <a href={place}>Clear filter</a> : undefined}
      </form>
    </search>
  );
}

interface EntriesProps {
  readonly entries: readonly AuditEntry[];
  readonly names: ActorNames;
}

function Entries({ entries, names }: EntriesProps) {
  return (
    <table class="rows">
      <caption class="hidden">Audit log, newest entries first</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Action</th>
          <th scope="col">By</th>
          <th scope="col">Project</th>
          <th scope="col">Details</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(({ at, action, actor, project, detail }) => (
          <tr>
            <th scope="row">
              <When at={at} />
            </th>
            <td data-label="Action">{action}</td>
            <td data-label="By">
              <ActorName actor={actor} names={names} />
            </td>
            <td data-label="Project">
              {project === undefined ? '–' : <a href={projectPath(project, 'devices')}>{project}</a>}
            </td>
            <td data-label="Details">
              <Detail project={project} detail={detail} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Shows the details of an entry, with a link to its device. */
function Detail({ project, detail }: Pick<AuditEntry, 'project' | 'detail'>) {
  const { mac, version, ...others } = detail;
  return (
    <>
      {typeof mac !== 'string' ? undefined : project === undefined ? (
        <Mac mac={mac} />
      ) : (
        <a href={devicePath(project, mac)}>
          <Mac mac={mac} />
        </a>
      )}{' '}
      {typeof version === 'string' ? <Version version={version} /> : undefined}{' '}
      {Object.keys(others).length === 0 ? undefined : <Sentence text={detailText(others)} />}
    </>
  );
}

function detailText(detail: AuditEntry['detail']): string {
  return Object.entries(detail)
    .map(
      ([name, value]) =>
        `${name}: ${signedFiles(value) ?? (typeof value === 'string' ? value : JSON.stringify(value))}`,
    )
    .join('; ');
}

/** Returns the numbers and files of the entries of a signing log; undefined for all other details. */
function signedFiles(value: unknown): string | undefined {
  const { success, output } = v.safeParse(signedEntries, value);
  return success ? output.map(({ entry, file, by }) => `${entry} ${file} by ${by}`).join(', ') : undefined;
}

const signedEntries = v.array(v.object({ entry: v.number(), file: v.string(), by: v.string() }));
