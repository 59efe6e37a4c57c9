import type { Standing } from '../../storage/standing.ts';

/** Label of each status, and a sign for users who cannot distinguish the colors. */
export const standingWords: Readonly<Record<Standing, { readonly label: string; readonly sign: string }>> = {
  failed: { label: 'failed', sign: '✕' },
  refused: { label: 'blocked', sign: '!' },
  waiting: { label: 'pending', sign: '…' },
  current: { label: 'up to date', sign: '✓' },
  unseen: { label: 'unknown', sign: '–' },
};

export function StandingBadge({ standing }: { standing: Standing }) {
  const { label, sign } = standingWords[standing];
  return (
    <span class={`badge ${standing}`}>
      <span aria-hidden="true">{sign}</span> {label}
    </span>
  );
}
