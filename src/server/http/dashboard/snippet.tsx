/** Shows a text to copy. The script of the page makes the button visible, because it does nothing without the script. */
export function Snippet({ id, text }: { id: string; text: string }) {
  return (
    <div class="snippet">
      <pre id={`snippet-${id}`} tabindex={0}>
        <code>{text}</code>
      </pre>
      <button type="button" data-copy={`snippet-${id}`} hidden>
        Copy
      </button>
    </div>
  );
}
