/** Shows a MAC, which never wraps. */
export function Mac({ mac }: { mac: string }) {
  return <span class="mac">{mac}</span>;
}

/** Shows a version, which never wraps. If there is no room for all of it, the end is replaced by an ellipsis; the title contains all of it. */
export function Version({ version }: { version: string }) {
  return (
    <span class="version" title={version}>
      {version}
    </span>
  );
}

/** Word with a digit in which a browser would break the line, such as a version or a MAC. */
const identifier = /(\S*\d\S*[-+:]\S+|\S+[-+:]\S*\d\S*)/;

/** Shows a sentence. Versions and MACs in the sentence never wrap. */
export function Sentence({ text }: { text: string }) {
  return <>{text.split(identifier).map((part, index) => (index % 2 === 1 ? <Version version={part} /> : part))}</>;
}
