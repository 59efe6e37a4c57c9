import type { ReleaseFinding } from '../../../api/release-info.ts';
import { nameOfPublication, type Publication, type Published } from '../../../publishing/publication.ts';

/** A published build and the outcome. */
export interface PublishedBuild {
  readonly publication: Publication;
  readonly published: Published;
  readonly warnings: readonly ReleaseFinding[];
}

/** Returns the JSON form of a published build. */
export function describePublished({ publication, published, warnings }: PublishedBuild) {
  const { project, version, channel, purpose, manifest, path } = publication;
  return {
    outcome: published.outcome,
    project,
    version,
    kind: manifest.image.kind,
    board: manifest.board ?? null,
    purpose,
    channel: purpose === 'reference' ? null : (channel ?? null),
    current: published.current,
    manifest: path,
    artifacts: manifest.artifacts.map(({ file, sizeBytes, sha256 }) => ({ file, sizeBytes, sha256 })),
    warnings,
  };
}

/** Describes the outcome of a publication in one sentence. */
export function sentenceOf({ publication, published }: PublishedBuild, place: string): string {
  const { channel, purpose } = publication;
  const name = nameOfPublication(publication);
  if (purpose === 'reference') {
    const isNew = published.outcome === 'published';
    return `${name} is ${isNew ? 'known' : 'known already'} at ${place}: devices that run it are recognized`;
  }
  if (channel === undefined) {
    const isNew = published.outcome === 'published';
    const where = published.current ? 'a channel offers it, which is left as it is' : 'no channel offers it';
    return `${isNew ? 'Published' : 'Published before:'} ${name}; ${where}: ${place}`;
  }
  switch (published.outcome) {
    case 'published':
      return `Published ${name} on ${channel}: ${place}`;
    case 'promoted':
      return `${name} was published before; ${channel} offers it from now on: ${place}`;
    case 'unchanged':
      return published.current
        ? `${name} is published already on ${channel}: ${place}`
        : `${name} was published before, and ${channel} offers something else by now; that is left as it is: ${place}`;
  }
}
