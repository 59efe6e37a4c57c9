interface ShareBarProps {
  /** What the bar says, for whoever does not see it. */
  readonly label: string;
  /** Kinds are names of the style sheet's colors; nothing is drawn for 0. */
  readonly parts: readonly { readonly kind: string; readonly count: number }[];
  /** What the whole bar stands for; the sum of the parts where it is not given. */
  readonly total?: number;
}

const width = 1000;
/** What is there must be seen: one device of a hundred thousand, too. */
const leastWidth = 6;

/** A bar of colored shares; the numbers stand beside it as text. */
export function ShareBar({ label, parts, total = parts.reduce((sum, { count }) => sum + count, 0) }: ShareBarProps) {
  let x = 0;
  const drawn = parts
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => {
      const share = Math.max(leastWidth, Math.round((width * count) / Math.max(1, total)));
      const part = { kind, x, share: Math.min(share, width - x) };
      x += part.share;
      return part;
    });
  return (
    <svg class="share" viewBox={`0 0 ${width} 12`} preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="track" width={width} height="12" />
      {drawn.map(({ kind, x, share }) => (
        <rect class={`fill ${kind}`} x={x} width={share} height="12" />
      ))}
    </svg>
  );
}
