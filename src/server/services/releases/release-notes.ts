import type { Actor } from '../../storage/records.ts';
import { DomainError } from '../domain-error.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { DomainEvent } from '../events/domain-event.ts';
import type { ServiceParts } from '../parts.ts';

interface NotesChange {
  readonly project: string;
  readonly version: string;
  readonly notes: string;
  /** Notes that the author of the change has seen; undefined to replace any notes. */
  readonly before?: string | undefined;
  readonly by: Actor;
}

/**
 * Sets the notes of a release. Setting the same notes again changes nothing.
 *
 * @throws DomainError not-found; conflict if the notes were changed meanwhile
 */
export async function setReleaseNotes(
  { store, events }: Pick<ServiceParts, 'store' | 'events'>,
  { project, version, before, by, ...change }: NotesChange,
): Promise<void> {
  const { catalog } = store;
  const notes = storedText(change.notes);
  const isKnown = (await catalog.imagesOf(project, version)).length > 0;
  if (!isKnown) {
    throw new DomainError('not-found', `${project} has no release ${version}`, 'Check the project and the version.');
  }
  const stored = (await catalog.notes(project, [version])).get(version) ?? '';
  if (stored === notes) return;
  const event: DomainEvent = {
    ...{ type: 'release.notes-changed', project, actor: by, at: Date.now() },
    ...{ version, length: notes.length },
  };
  const saved = { version, before: before === undefined ? stored : storedText(before), notes };
  if (!(await catalog.saveNotes(project, saved, auditEntryOf(event)))) {
    throw new DomainError(
      'conflict',
      `the notes of ${version} were changed by another person`,
      'Compare the current notes with yours, and save them again.',
    );
  }
  events.emit(event);
}

/** Returns notes as they are stored. Browsers send forms with CRLF. */
function storedText(notes: string): string {
  return notes.replace(/\r\n?/g, '\n').trim();
}
