import type { Standing } from '../../storage/standing.ts';

/** In words, and a sign for whoever cannot tell colors apart. */
export const standingWords: Readonly<Record<Standing, { readonly label: string; readonly sign: string }>> = {
  failed: { label: 'failed', sign: '✕' },
  refused: { label: 'refused', sign: '!' },
  waiting: { label: 'waiting', sign: '…' },
  current: { label: 'current', sign: '✓' },
  unseen: { label: 'unseen', sign: '–' },
};

export function StandingBadge({ standing }: { standing: Standing }) {
  const { label, sign } = standingWords[standing];
  return (
    <span class={`badge ${standing}`}>
      <span aria-hidden="true">{sign}</span> {label}
    </span>
  );
}
