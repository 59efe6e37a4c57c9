import { yankRequestSchema } from '../../../api/release.ts';
import type { ServerParts } from '../../parts.ts';
import { yankReleases } from '../../services/releases/yank-releases.ts';
import { checked } from '../api/session.ts';
import { frameOf, Page, show } from './layout.tsx';
import { formTokenFor, type PageContext, readForm } from './page-login.ts';
import { projectPath, withQuery } from './paths.ts';
import { ReleaseCard, yankedParts } from './release-card.tsx';

const perPage = 20;

/** Shows a project's releases, newest first. */
export async function releasesPage(context: PageContext, { store }: ServerParts, project: string) {
  const before = Number(/^\d{1,15}$/.exec(context.req.query('before') ?? '')?.[0] ?? Number.MAX_SAFE_INTEGER);
  const { versions, next } = await store.catalog.versions(project, { before, limit: perPage });
  const currentReleases = await store.catalog.currentReleases(project);
  const formToken = formTokenFor(context, 'yank');
  const here = projectPath(project, 'releases');
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
      {formTokenFor(context, 'draft') === undefined ? undefined : (
        <p>
          <a class="button" href={projectPath(project, 'releases', 'new')}>
            Publish a release
          </a>
        </p>
      )}
      <div id="releases" data-live>
        {versions.length === 0 ? (
          <p>{before === Number.MAX_SAFE_INTEGER ? 'No releases yet.' : 'No older releases.'}</p>
        ) : undefined}
        {versions.map((release) => (
          <ReleaseCard {...release} {...{ project, currentReleases, formToken }} />
        ))}
        <nav class="paging" aria-label="Pages">
          {before === Number.MAX_SAFE_INTEGER ? undefined : <a href={here}>Newest</a>}
          {next === undefined ? undefined : (
            <a rel="next" href={withQuery(here, { before: String(next) })}>
              Older
            </a>
          )}
        </nav>
      </div>
    </Page>,
  );
}

/** Yanks the images that are selected in the form of a release. */
export async function yankRelease(context: PageContext, parts: ServerParts, project: string) {
  const form = await readForm(context, 'yank');
  const { version, reason } = form;
  const selection = { version, parts: yankedParts(form), reason: reason?.trim() || undefined };
  const request = checked(yankRequestSchema, selection);
  await yankReleases(parts, { ...request, project, by: context.get('token').id });
  return context.redirect(projectPath(project, 'releases'), 303);
}
