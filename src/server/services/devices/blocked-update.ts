import { deviceRules } from '../../../api/release-admin.ts';
import type { PreflightFix } from '../../../core/model/preflight-fix.ts';
import type { BlockingFinding } from '../../../core/preflight/explanation.ts';
import { fixText, type ServedDevice } from '../../../core/preflight/fix-text.ts';
import type { BlockedUpdate } from '../../storage/records.ts';

/** Returns the artifact that is the best candidate, and the rules that block it, with the fixes that are possible on a server. */
export function blockOf(blockedBy: readonly BlockingFinding[]): BlockedUpdate {
  return {
    artifact: blockedBy[0]?.artifact ?? '',
    findings: blockedBy.map(({ rule, message, fixes }) => ({ rule, message, fixes: serverFixes(fixes) })),
  };
}

/** Describes why an update is blocked, without a period at the end. */
export function blockedText(block: BlockedUpdate, device: ServedDevice): string {
  const fix = blockFix(block, device);
  return fix === undefined ? blockReason(block) : `${blockReason(block)}. Fix: ${fix}`;
}

/** Describes why an update is blocked, without what to do about it. */
export function blockReason({ artifact, findings }: BlockedUpdate): string {
  if (findings.length === 0) return 'it has no artifact';
  return `${artifact}: ${findings.map(({ rule, message }) => `${message} (${rule})`).join('; ')}`;
}

/** Describes what to do about a blocked update; undefined if it has no artifact. */
export function blockFix({ findings }: BlockedUpdate, device: ServedDevice): string | undefined {
  if (findings.length === 0) return undefined;
  return [...new Set(findings.map((finding) => fixText(finding.fixes, device)))].join('; ');
}

/**
 * Removes the fixes that a server does not have: devices use HTTP, the request determines the kind, and few rules can be allowed for a device.
 */
function serverFixes(fixes: readonly PreflightFix[]): readonly PreflightFix[] {
  const possible = fixes.filter(
    (fix) =>
      fix.action !== 'transport' && fix.action !== 'send-as' && (fix.action !== 'allow' || isDeviceRule(fix.rule)),
  );
  return possible.length === 0 ? [{ action: 'serial' }] : possible;
}

function isDeviceRule(rule: string): boolean {
  return deviceRules.some((known) => known === rule);
}
