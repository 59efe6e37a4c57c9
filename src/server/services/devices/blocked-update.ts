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
export function blockedText({ artifact, findings }: BlockedUpdate, device: ServedDevice): string {
  if (findings.length === 0) return 'it has no artifact';
  const reasons = findings.map(({ rule, message }) => `${message} (${rule})`).join('; ');
  const fixes = [...new Set(findings.map((finding) => fixText(finding.fixes, device)))].join('; ');
  return `${artifact}: ${reasons}. Fix: ${fixes}`;
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
