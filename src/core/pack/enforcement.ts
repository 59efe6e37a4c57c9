import { OtaError } from '../../errors/ota-error.ts';
import { proveEnforcement } from '../firmware/elf-proof.ts';
import type { Firmware } from '../firmware/firmware.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import type { Manifest } from '../model/manifest.ts';

/** Image, ELF and key of a build, for {@link settleEnforcement}. */
export interface EnforcementInput {
  readonly path: string;
  readonly firmware: Firmware;
  readonly elf: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  /** Key that signs updates for the device; undefined in an unsigned project. */
  readonly expectedKey: RsaPublicKey | undefined;
  /** True if the sketch calls `Update.installSignature` itself. The symbols of the sketch do not show this call. */
  readonly declared: boolean;
}

export interface EnforcementResult {
  readonly enforcement: Manifest['enforcement'];
  /** Warnings about a missing proof. */
  readonly warnings: readonly string[];
}

/**
 * Determines the proof that a device running this image verifies its next update: the ELF, a declaration or none. The build fails if the
 * image lacks the key or the verifier, because installing the image would disable signature checks permanently.
 *
 * @throws OtaError ENFORCEMENT_KEY_MISSING, ENFORCEMENT_KEY_UNUSED, ENFORCEMENT_VERIFIER_MISSING
 */
export function settleEnforcement({ path, firmware, elf, expectedKey, declared }: EnforcementInput): EnforcementResult {
  if (expectedKey === undefined || firmware.kind === 'filesystem') return { enforcement: 'unproven', warnings: [] };
  const proof = proveEnforcement({ elf: elf?.bytes, firmware, expectedKey });
  if (proof.proof === 'elf') return { enforcement: 'elf', warnings: [] };
  if (proof.reason === 'key-missing') {
    const others = firmware.embeddedKeys.map(({ key }) => key.fingerprint);
    throw new OtaError('ENFORCEMENT_KEY_MISSING', { path, fingerprint: expectedKey.fingerprint, others });
  }
  if (proof.reason === 'key-unused') {
    throw new OtaError('ENFORCEMENT_KEY_UNUSED', {
      path,
      elf: elf?.path ?? 'the ELF',
      fingerprint: expectedKey.fingerprint,
      detail: proof.detail,
    });
  }
  if (declared) return { enforcement: 'declared', warnings: [] };
  if (proof.reason === 'verifier-missing') {
    throw new OtaError('ENFORCEMENT_VERIFIER_MISSING', { path, elf: elf?.path ?? 'the ELF' });
  }
  const warning = `${path}: nothing shows that the Updater verifies signatures (${proof.detail}); pass the ELF file of this build with --elf`;
  return { enforcement: 'unproven', warnings: [warning] };
}
