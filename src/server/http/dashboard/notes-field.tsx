import { mostNotesLength } from '../../../api/release.ts';

/** Field of a form for release notes. */
export function NotesField({ notes }: { readonly notes: string | undefined }) {
  return (
    <>
      <label for="notes">Release notes</label>
      <textarea id="notes" name="notes" rows={8} maxlength={mostNotesLength} aria-describedby="notes-hint">
        {notes}
      </textarea>
      <p id="notes-hint" class="quiet">
        Markdown. HTML is shown as text, and only links to http and https addresses are links.
      </p>
    </>
  );
}
