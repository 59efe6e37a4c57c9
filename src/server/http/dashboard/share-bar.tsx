interface ShareBarProps {
  /** Text alternative for the bar. */
  readonly label: string;
  /** Parts of the bar. A kind is a color name from the style sheet. Parts with a count of 0 are not drawn. */
  readonly parts: readonly { readonly kind: string; readonly count: number }[];
  /** Count that corresponds to the full width. Defaults to the sum of the parts. */
  readonly total?: number;
}

const width = 1000;
/** Minimum width of a part, so that even one device out of 100,000 is visible. */
const leastWidth = 6;

/** Renders a bar with colored shares. The numbers are shown as text next to the bar. */
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
