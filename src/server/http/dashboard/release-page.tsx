import { raw } from 'hono/html';
import * as v from 'valibot';
import { channelRequestSchema, notesRequestSchema, resourceName } from '../../../api/release.ts';
import { counted, countText } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import { requestPromotion } from '../../services/approvals/approvals.ts';
import { DomainError } from '../../services/domain-error.ts';
import { promoteReleases } from '../../services/releases/promote-releases.ts';
import { setReleaseNotes } from '../../services/releases/release-notes.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import { isPromotable } from '../../storage/release-record.ts';
import { checked } from '../api/session.ts';
import { needsApproval } from './approvals-page.tsx';
import { Comparison } from './comparison.tsx';
import { doneQuery } from './done.tsx';
import { FormProblem, formProblem } from './form-problem.tsx';
import { ImageDetails } from './image-details.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { htmlOfMarkdown } from './markdown.ts';
import { NotesField } from './notes-field.tsx';
import { formTokenFor, type PageContext, readForm } from './page-login.ts';
import { projectPath, releasePath, withQuery } from './paths.ts';
import { Yank } from './release-card.tsx';
import { SendForm } from './send-form.tsx';

/** State of the page after a form was rejected. */
interface Rejected {
  readonly problem: DomainError;
  readonly status: Parameters<typeof show>[2];
  /** Notes that were not saved. */
  readonly notes?: string | undefined;
  /** Channel to which the release was not promoted. */
  readonly channel?: string | undefined;
}

/** Shows a release: its notes, its images, and what changes compared with the previous release. */
export function releasePage(context: PageContext, parts: ServerParts, project: string) {
  return showRelease(context, parts, { project, version: context.req.query('version') ?? '' });
}

/** Saves the notes in a form. */
export async function saveNotes(context: PageContext, parts: ServerParts, project: string) {
  const form = await readForm(context, 'notes');
  const { version = '', notes } = form;
  try {
    const change = checked(notesRequestSchema, { version, notes });
    await setReleaseNotes(parts, { ...change, project, before: form['before'] ?? '', by: context.get('token').id });
    return context.redirect(releasePath(project, version, { done: 'notes' }), 303);
  } catch (error) {
    return showRelease(context, parts, { project, version }, { ...formProblem(error, parts), notes });
  }
}

/** Promotes all images of a version to the channel in a form. */
export async function promoteRelease(context: PageContext, parts: ServerParts, project: string) {
  const { version = '', channel } = await readForm(context, 'promote');
  const publisher = context.get('token');
  try {
    const request = checked(v.strictObject({ version: channelRequestSchema.entries.version, channel: resourceName }), {
      version,
      channel,
    });
    if (needsApproval(parts, project)) {
      await requestPromotion(parts, { ...request, project, by: publisher });
      return context.redirect(withQuery(projectPath(project, 'approvals'), doneQuery('requested')), 303);
    }
    await promoteReleases(parts, { ...request, project, by: publisher.id, publisher });
    return context.redirect(releasePath(project, version, { done: 'current' }), 303);
  } catch (error) {
    return showRelease(context, parts, { project, version }, { ...formProblem(error, parts), channel });
  }
}

const outcomes = {
  published: 'Published.',
  promoted: 'The release was published before. It is now the current release of the channel.',
  unchanged: 'The release was published before; nothing was changed.',
  current: 'Promoted.',
  notes: 'Notes saved.',
} as const;

/** Shows what the form that led to this page has done. */
function Outcome({ outcome = '' }: { readonly outcome: string | undefined }) {
  if (!Object.hasOwn(outcomes, outcome)) return undefined;
  return (
    <p class="notice" role="status">
      {outcomes[outcome as keyof typeof outcomes]}
    </p>
  );
}

async function showRelease(
  context: PageContext,
  { store, catalog: views }: ServerParts,
  { project, version }: { readonly project: string; readonly version: string },
  rejected?: Rejected,
) {
  const { catalog } = store;
  const images = await catalog.imagesOf(project, version);
  if (images.length === 0) throw rejected?.problem ?? unknownRelease(project, version);
  const notes = (await catalog.notes(project, [version])).get(version) ?? '';
  const currentReleases = await catalog.currentReleases(project);
  const compared = await Promise.all(images.map(async (image) => ({ image, previous: await previousOf(image) })));
  const available = images.filter(isPromotable);
  const yankToken = formTokenFor(context, 'yank');
  const view = views.view(project);
  const onlyEnrolled = view?.project.access === 'closed';
  const isApproved = view?.project.approval === 'second-person';
  const channels = [...new Set(['stable', ...(view?.channels.keys() ?? [])])].slice(0, mostCounted);
  const counts = await Promise.all(
    channels.map(async (channel) => ({
      channel,
      devices: await store.devices.countOn(project, channel, { onlyEnrolled }),
    })),
  );
  const title = rejected === undefined ? `${project} ${version}` : `Not changed: ${project} ${version}`;

  async function previousOf(image: ReleaseRecord): Promise<ReleaseRecord | undefined> {
    return image.purpose === 'serve' ? catalog.previous(image) : undefined;
  }

  return show(
    context,
    <Page title={title} project={project} tab="releases" live={`project=${project}`} {...frameOf(context)}>
      <h1>{version}</h1>
      <FormProblem problem={rejected?.problem} />
      <Outcome outcome={context.req.query('done')} />
      <div id="release" data-live>
        {available.length === 0 ? undefined : (
          <div class="actions">
            {formTokenFor(context, 'rollouts') === undefined ? undefined : (
              <a class="button" href={withQuery(projectPath(project, 'rollouts', 'new'), { version })}>
                Roll out
              </a>
            )}
            <Promote
              {...{ context, project, version, channel: rejected?.channel, counts, isApproved }}
              images={available}
            />
            {yankToken === undefined ? undefined : (
              <Yank id={images[0]?.id} {...{ project, version }} images={available} formToken={yankToken} />
            )}
          </div>
        )}
        <h2>Release notes</h2>
        {notes === '' ? (
          <p class="quiet">No notes.</p>
        ) : (
          // The renderer escapes all HTML in the notes.
          <div class="notes">{raw(htmlOfMarkdown(notes))}</div>
        )}
        <EditNotes {...{ context, project, version, notes, unsaved: rejected?.notes }} />
        <h2>{counted(images.length, 'image')}</h2>
        {compared.map(({ image, previous }) => (
          <div class="card">
            <ImageDetails
              image={image}
              channels={currentReleases.filter(({ release }) => release.id === image.id).map(({ channel }) => channel)}
              isOpen={images.length === 1}
            />
            {previous === undefined ? undefined : <Comparison image={image} previous={previous} />}
          </div>
        ))}
      </div>
    </Page>,
    rejected?.status,
  );
}

function unknownRelease(project: string, version: string): DomainError {
  const message = `${project} has no release ${version.slice(0, 64)}`;
  return new DomainError('not-found', message, 'Open the releases of the project to see all versions.');
}

interface FormProps {
  readonly context: PageContext;
  readonly project: string;
  readonly version: string;
}

/** Maximum number of channels whose devices are counted. */
const mostCounted = 20;

interface PromoteProps extends FormProps {
  readonly channel: string | undefined;
  readonly images: readonly unknown[];
  readonly counts: readonly { readonly channel: string; readonly devices: number }[];
  /** True if a second person must approve the promotion. */
  readonly isApproved: boolean;
}

/** Form that promotes a release. Promotion reaches all devices of the channel at their next update check. */
function Promote({ context, project, version, channel = '', images, counts, isApproved }: PromoteProps) {
  const formToken = formTokenFor(context, 'promote');
  if (formToken === undefined) return undefined;
  return (
    <details id="promote" open={channel !== '' || undefined}>
      <summary>Promote…</summary>
      <p>
        Makes {counted(images.length, 'image')} of this version current on a channel: all devices of the channel receive
        the version at their next update check.
      </p>
      <SendForm action={projectPath(project, 'releases', 'promote')} formToken={formToken} class="task">
        <input type="hidden" name="version" value={version} />
        <label for="channel">Channel</label>
        <input
          id="channel"
          name="channel"
          value={channel}
          required
          autocomplete="off"
          placeholder="stable"
          list="channels"
          aria-describedby="channel-hint"
        />
        <datalist id="channels">
          {counts.map((each) => (
            <option value={each.channel} />
          ))}
        </datalist>
        <p id="channel-hint">
          {`Devices that would get it: ${counts.map((each) => `${each.channel} ${countText(each.devices)}`).join(', ')}.`}
        </p>
        <button class="main" type="submit">
          {isApproved ? 'Request approval' : `Promote ${version}`}
        </button>
      </SendForm>
    </details>
  );
}

/** Form that changes the notes. It contains the notes before the change, so that two people do not overwrite each other's notes. */
function EditNotes(props: FormProps & { readonly notes: string; readonly unsaved: string | undefined }) {
  const { context, project, version, notes, unsaved } = props;
  const formToken = formTokenFor(context, 'notes');
  if (formToken === undefined) return undefined;
  return (
    <details id="edit-notes" open={unsaved !== undefined || undefined}>
      <summary>{notes === '' ? 'Write notes…' : 'Edit notes…'}</summary>
      <SendForm action={projectPath(project, 'releases', 'notes')} formToken={formToken} class="task">
        <input type="hidden" name="version" value={version} />
        <input type="hidden" id="notes-before" name="before" value={notes} />
        <NotesField notes={unsaved ?? notes} />
        <button class="main" type="submit">
          Save notes
        </button>
      </SendForm>
    </details>
  );
}
