import type { ReleaseFinding } from '../../../api/release-info.ts';
import { useOf } from '../../../publishing/artifact-use.ts';
import { nameOfPublication, type Publication, type Published } from '../../../publishing/publication.ts';

/** Published build and the result of publishing it. */
export interface PublishedBuild {
  readonly publication: Publication;
  readonly published: Published;
  readonly warnings: readonly ReleaseFinding[];
}

/** Returns the JSON output for a published build. */
export function describePublished({ publication, published, warnings }: PublishedBuild) {
  const { project, version, channel, purpose, manifest, path } = publication;
  return {
    outcome: published.outcome,
    project,
    version,
    kind: manifest.image.kind,
    board: manifest.board ?? null,
    purpose,
    channel: purpose === 'reference' || published.notOn !== undefined ? null : (channel ?? null),
    current: published.current,
    next: nextCommand({ publication, published, warnings }) ?? null,
    manifest: path,
    artifacts: manifest.artifacts.map((artifact) => {
      const { file, sizeBytes, sha256 } = artifact;
      return { file, sizeBytes, sha256, use: useOf(artifact, manifest) };
    }),
    warnings,
  };
}

/** Returns the command that promotes the draft, for a token that does not permit the promotion. */
export function nextCommand({ publication, published }: PublishedBuild): string | undefined {
  const { notOn, current } = published;
  if (notOn === undefined || current) return undefined;
  return `ota-hooks server releases promote ${publication.project} ${publication.version} --channel ${notOn}`;
}

/** Describes the result for a published build in one sentence. */
export function sentenceOf({ publication, published }: PublishedBuild, place: string): string {
  const { purpose } = publication;
  const channel = published.notOn === undefined ? publication.channel : undefined;
  const name = nameOfPublication(publication);
  if (purpose === 'reference') {
    const isNew = published.outcome === 'published';
    return `${isNew ? 'Published' : 'Already published:'} reference build ${name}; devices that run it are recognized: ${place}`;
  }
  if (channel === undefined) {
    const isNew = published.outcome === 'published';
    const state = published.current ? 'a channel still serves this release' : 'no channel serves this release';
    return `${isNew ? 'Published draft' : 'Already published:'} ${name}; ${state}: ${place}`;
  }
  switch (published.outcome) {
    case 'published':
      return `Published ${name} on ${channel}: ${place}`;
    case 'promoted':
      return `${name} was already published; ${channel} now serves this release: ${place}`;
    case 'unchanged':
      return published.current
        ? `${name} is already published on ${channel}: ${place}`
        : `${name} was published on ${channel} before; ${channel} still serves a different release: ${place}`;
  }
}
