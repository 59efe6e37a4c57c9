interface CountLinkProps {
  /** What is counted, for screen readers. */
  readonly of: string;
  readonly text: string;
  /** Path of the list of what is counted; undefined if there is no list. */
  readonly path: string | undefined;
}

/** Shows a count as a link to the list of what it counts. */
export function CountLink({ of, text, path }: CountLinkProps) {
  if (path === undefined) return <>{text}</>;
  return (
    <a href={path} aria-label={`${of}: ${text}`}>
      {text}
    </a>
  );
}
