import type { DeviceStatus } from '../../../api/admin-info.ts';

/** Label for each status, with a symbol for users who cannot distinguish the colors. */
export const statusWords: Readonly<Record<DeviceStatus, { readonly label: string; readonly sign: string }>> = {
  failed: { label: 'failed', sign: '✕' },
  blocked: { label: 'blocked', sign: '!' },
  updating: { label: 'updating', sign: '↻' },
  pending: { label: 'pending', sign: '…' },
  'up-to-date': { label: 'up to date', sign: '✓' },
  unknown: { label: 'unknown', sign: '–' },
};

export function StatusBadge({ status }: { status: DeviceStatus }) {
  const { label, sign } = statusWords[status];
  return (
    <span class={`badge ${status}`}>
      <span aria-hidden="true">{sign}</span> {label}
    </span>
  );
}
