import type { Manifest } from '../../core/model/manifest.ts';
import type { SignatureFacts } from '../../core/model/signing-log.ts';
import { OtaError } from '../../errors/ota-error.ts';
import type { Io } from '../io.ts';
import type { Report } from '../output/report.ts';

/**
 * Records signatures in the user's log, before the signed files are written. If the user has not chosen the path, a log that cannot be
 * written is a warning, because a container may have no folder for it.
 *
 * @throws OtaError FILE_UNWRITABLE, SIGNING_LOG_BROKEN, FILE_LOCKED
 */
export async function recordInLog(facts: readonly SignatureFacts[], io: Io, report: Report): Promise<void> {
  const { recordSignatures, signedBy, signingLogPath } = await import('../../project/record/signing-log.ts');
  const path = signingLogPath(io);
  if (path === undefined) return;
  try {
    await recordSignatures(path, facts, signedBy(io));
  } catch (error) {
    if (isLogChosen(io) || !(error instanceof OtaError)) throw error;
    report.warn(`the signatures were not recorded: ${error.message}`);
  }
}

/** Returns whether the user has chosen the path of the log. */
export function isLogChosen({ env }: Pick<Io, 'env'>): boolean {
  return (env['OTA_SIGNING_LOG'] ?? '') !== '';
}

/** Returns what the log records about the signed artifacts of a build. */
export function signaturesOf({ project, version, metadata, artifacts }: Manifest): readonly SignatureFacts[] {
  return artifacts.flatMap(({ file, sha256, keyFingerprint: key }) =>
    key === undefined ? [] : [{ file, sha256, project, version, securityVersion: metadata?.securityVersion, key }],
  );
}
