import { counted } from '../../../core/model/quantity-text.ts';
import { DomainError } from '../../services/domain-error.ts';
import type { CurrentRelease, ReleaseRecord } from '../../storage/records.ts';
import type { ReleaseVersion } from '../../storage/store.ts';
import { Version } from './identifiers.tsx';
import { ImageDetails, imageName } from './image-details.tsx';
import type { Form } from './page-login.ts';
import { projectPath, releasePath } from './paths.ts';
import { SendForm } from './send-form.tsx';

interface ReleaseCardProps extends ReleaseVersion {
  readonly project: string;
  readonly currentReleases: readonly CurrentRelease[];
  /** Form token for the yank button; undefined if the user may not yank the release. */
  readonly formToken: string | undefined;
}

/** Shows a release: all images of a version. */
export function ReleaseCard({ project, version, images, currentReleases, formToken }: ReleaseCardProps) {
  const id = images[0]?.id;
  const available = images.filter(({ purpose, yanked }) => purpose === 'serve' && yanked === undefined);
  return (
    <article class="card" id={`release-${id}`} aria-labelledby={`title-${id}`}>
      <h2 id={`title-${id}`}>
        <a href={releasePath(project, version)}>
          <Version version={version} />
        </a>{' '}
        <span class="quiet">{counted(images.length, 'image')}</span>
      </h2>
      {images.map((image) => (
        <ImageDetails
          image={image}
          channels={currentReleases.filter(({ release }) => release.id === image.id).map(({ channel }) => channel)}
          isOpen={images.length === 1}
        />
      ))}
      {formToken === undefined || available.length === 0 ? undefined : (
        <Yank {...{ id, project, version, formToken }} images={available} />
      )}
    </article>
  );
}

interface YankProps {
  readonly id: number | undefined;
  readonly project: string;
  readonly version: string;
  /** Images that can be yanked. */
  readonly images: readonly ReleaseRecord[];
  readonly formToken: string;
}

/** Form that yanks all images of a version, or those that the user selects. The server reads it with `yankedParts`. */
export function Yank({ id, project, version, images, formToken }: YankProps) {
  const isOne = images.length === 1;
  return (
    <details id={`yank-${id}`}>
      <summary>
        Yank <Version version={version} /> ({counted(images.length, 'image')})…
      </summary>
      <p>Makes the {isOne ? 'image' : 'selected images'} unavailable on all channels. This cannot be undone.</p>
      <SendForm action={projectPath(project, 'releases', 'yank')} formToken={formToken}>
        <input type="hidden" name="version" value={version} />
        <input type="hidden" name="images" value={String(images.length)} />
        {images.map((image) => (
          <p>
            <input id={`part-${image.id}`} type="checkbox" name={`part-${image.id}`} value={partText(image)} checked />
            <label for={`part-${image.id}`}>{imageName(image)}</label>
          </p>
        ))}
        <label for={`reason-${id}`}>Reason</label>
        <input id={`reason-${id}`} name="reason" maxlength={200} autocomplete="off" />
        <button class="danger" type="submit">
          {isOne ? (
            <>
              Yank <Version version={version} />
            </>
          ) : (
            'Yank the selected images'
          )}
        </button>
      </SendForm>
    </details>
  );
}

function partText({ kind, board }: ReleaseRecord): string {
  return `${kind} ${board}`;
}

/**
 * Returns the parts of a release that are selected in a form of a release card; undefined for the whole version. If all images are selected,
 * the whole version is meant, including images that were published after the page was loaded.
 *
 * @throws DomainError invalid
 */
export function yankedParts(form: Form): unknown {
  const parts = Object.entries(form).filter(([name]) => name.startsWith('part-'));
  if (parts.length === 0) throw new DomainError('invalid', 'No image is selected.', 'Select at least one image.');
  if (parts.length === Number(form['images'])) return undefined;
  return parts.map(([, text]) => {
    const [kind = '', ...board] = text.split(' ');
    return { kind, board: board.join(' ') };
  });
}
