import { yankRequestSchema } from '../../../api/release.ts';
import type { ServerParts } from '../../parts.ts';
import { yankReleases } from '../../services/releases/yank-releases.ts';
import { checked } from '../api/session.ts';
import { frameOf, Page, show } from './layout.tsx';
import { formTokenFor, type PageContext, readForm } from './page-login.ts';
import { projectPath, withQuery } from './paths.ts';
import { ReleaseCard } from './release-card.tsx';

const perPage = 20;

/** Shows a project's releases, newest first. */
export async function releasesPage(context: PageContext, { store }: ServerParts, project: string) {
  const before = Number(/^\d{1,15}$/.exec(context.req.query('before') ?? '')?.[0] ?? Number.MAX_SAFE_INTEGER);
  const found = await store.catalog.releases(project, { before, limit: perPage + 1 });
  const releases = found.slice(0, perPage);
  const currentReleases = await store.catalog.currentReleases(project);
  const formToken = formTokenFor(context, 'yank');
  const here = projectPath(project, 'releases');
  const older = found.length > perPage ? String(releases.at(-1)?.id) : undefined;
  return show(
    context,
    <Page
      title={`Releases of ${project}`}
      project={project}
      tab="releases"
      live={`project=${project}`}
      {...frameOf(context)}
    >
      <h1>Releases</h1>
      <div id="releases" data-live>
        {releases.length === 0 ? (
          <p>{before === Number.MAX_SAFE_INTEGER ? 'No releases yet.' : 'No older releases.'}</p>
        ) : undefined}
        {releases.map((release) => (
          <ReleaseCard
            release={release}
            channels={currentReleases.filter((entry) => entry.release.id === release.id).map(({ channel }) => channel)}
            formToken={formToken}
          />
        ))}
        <nav class="paging" aria-label="Pages">
          {before === Number.MAX_SAFE_INTEGER ? undefined : <a href={here}>Newest</a>}
          {older === undefined ? undefined : (
            <a rel="next" href={withQuery(here, { before: older })}>
              Older
            </a>
          )}
        </nav>
      </div>
    </Page>,
  );
}

/** Yanks the release named in the form. */
export async function yankRelease(context: PageContext, parts: ServerParts, project: string) {
  const { version, kind, board, reason } = await readForm(context, 'yank');
  const request = checked(yankRequestSchema, { version, kind, reason: reason?.trim() || undefined });
  // A form always includes the board. An empty value means a release that is not specific to a board.
  await yankReleases(parts, { ...request, board: board ?? '', project, by: context.get('token').id });
  return context.redirect(projectPath(project, 'releases'), 303);
}
