import { type MemberStatus, memberStatusWords } from '../../../api/rollout-info.ts';

/** Color and symbol of each status. */
const memberKinds: Readonly<Record<MemberStatus, { readonly kind: string; readonly sign: string }>> = {
  pending: { kind: 'pending', sign: '…' },
  updating: { kind: 'updating', sign: '↻' },
  running: { kind: 'up-to-date', sign: '✓' },
  undelivered: { kind: 'unknown', sign: '–' },
  failed: { kind: 'failed', sign: '✕' },
  blocked: { kind: 'blocked', sign: '!' },
};

/** Shows the status of a device in a rollout. */
export function MemberBadge({ status }: { status: MemberStatus }) {
  const { kind, sign } = memberKinds[status];
  return (
    <span class={`badge ${kind}`}>
      <span aria-hidden="true">{sign}</span> {memberStatusWords[status]}
    </span>
  );
}
