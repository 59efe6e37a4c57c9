import * as v from 'valibot';
import { releaseRequestSchema } from '../../../api/release.ts';
import type { ServerParts } from '../../parts.ts';
import type { DomainError } from '../../services/domain-error.ts';
import { publishFiles, type SelectedFile } from '../../services/releases/publish-files.ts';
import { checked } from '../api/session.ts';
import { FormProblem, formProblem } from './form-problem.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { NotesField } from './notes-field.tsx';
import { type Form, formTokenFor, type PageContext, readForm, requireRoleFor } from './page-login.ts';
import { projectPath, releasePath } from './paths.ts';
import { SendForm } from './send-form.tsx';

const settings = v.omit(releaseRequestSchema, ['version', 'manifest']);
const version = v.optional(releaseRequestSchema.entries.version);

/** Shows the form that publishes a release from files. */
export function publishPage(context: PageContext, parts: ServerParts, project: string) {
  requireRoleFor(context, 'draft');
  const channel = context.req.query('channel') ?? '';
  return show(context, <PublishPage context={context} parts={parts} project={project} form={{ channel }} />);
}

/** Publishes the release whose files a form contains. */
export async function publishFromPage(context: PageContext, parts: ServerParts, project: string) {
  const form = await readForm(context, 'draft');
  try {
    const channel = form['channel']?.trim();
    const request = checked(settings, {
      ...(channel !== '' && { channel }),
      draft: channel === '' || undefined,
      notes: form['notes']?.trim() === '' ? undefined : form['notes'],
      purpose: form['reference'] === 'yes' ? 'reference' : undefined,
      allow: form['allow']?.split(/[\s,]+/).filter((rule) => rule !== ''),
    });
    const named = checked(version, form['version']?.trim() || undefined);
    const files = await filesOf(context);
    const publisher = context.get('token');
    const { outcome, release } = await publishFiles(parts, { ...request, project, version: named, files, publisher });
    parts.log.info({ project, version: release.version, outcome, by: publisher.id }, 'Publication handled');
    return context.redirect(releasePath(project, release.version, { done: outcome }), 303);
  } catch (error) {
    const { problem, status } = formProblem(error, parts);
    return show(context, <PublishPage {...{ context, parts, project, form, problem }} />, status);
  }
}

/** Returns the selected files. A browser sends an empty file without a name if none is selected. */
async function filesOf(context: PageContext): Promise<readonly SelectedFile[]> {
  const { files = [] } = await context.req.parseBody({ all: true });
  const selected = [files].flat().filter((file) => typeof file !== 'string' && file.name !== '');
  return Promise.all(
    selected.map(async (file) => {
      // The type assertion is safe: texts were filtered out.
      const { name } = file as File;
      return { name, bytes: new Uint8Array(await (file as File).arrayBuffer()) };
    }),
  );
}

interface PublishPageProps {
  readonly context: PageContext;
  readonly parts: ServerParts;
  readonly project: string;
  /** Values that were sent; files must be selected again. */
  readonly form: Form;
  readonly problem?: DomainError | undefined;
}

function PublishPage({ context, parts, project, form, problem }: PublishPageProps) {
  const channels = [...new Set([...(parts.catalog.view(project)?.channels.keys() ?? []), 'stable'])].sort();
  return (
    <Page
      title={problem === undefined ? 'Publish a release' : 'Not published'}
      project={project}
      tab="releases"
      {...frameOf(context)}
    >
      <h1>Publish a release</h1>
      <FormProblem problem={problem} />
      <SendForm
        action={projectPath(project, 'releases', 'new')}
        formToken={context.get('session').formToken}
        hasFiles
        class="task"
      >
        <label for="files">Manifest and artifacts</label>
        <input id="files" class="drop" type="file" name="files" multiple required aria-describedby="files-hint" />
        <p id="files-hint" class="quiet">
          Drop the manifest (.json) and the artifacts of one build here, or select them. The server checks them in the
          same way as <code>ota-hooks publish</code>.
        </p>
        <label for="version">Version</label>
        <input id="version" name="version" value={form['version']} autocomplete="off" aria-describedby="version-hint" />
        <p id="version-hint" class="quiet">
          Leave it empty for the version in the manifest.
        </p>
        <label for="channel">Channel</label>
        <input
          id="channel"
          name="channel"
          value={form['channel']}
          list="channels"
          autocomplete="off"
          aria-describedby="channel-hint"
        />
        <datalist id="channels">
          {channels.map((channel) => (
            <option value={channel} />
          ))}
        </datalist>
        <p id="channel-hint" class="quiet">
          Leave it empty to publish a draft for a rollout. With a channel such as stable, all devices of the channel
          receive the release.
        </p>
        <NotesField notes={form['notes']} />
        {formTokenFor(context, 'overrule') === undefined ? undefined : (
          <>
            <label for="allow">Rules that may be violated</label>
            <input id="allow" name="allow" value={form['allow']} autocomplete="off" aria-describedby="allow-hint" />
            <p id="allow-hint" class="quiet">
              Names of preflight rules, as after <code>--allow</code>; usually none.
            </p>
          </>
        )}
        {formTokenFor(context, 'reference') === undefined ? undefined : (
          <p>
            <input
              id="reference"
              type="checkbox"
              name="reference"
              value="yes"
              checked={form['reference'] === 'yes' || undefined}
            />
            <label for="reference">Reference build: devices run it already, and it is never sent</label>
          </p>
        )}
        <button class="main" type="submit">
          Publish
        </button>
      </SendForm>
    </Page>
  );
}
