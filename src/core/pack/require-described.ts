import { isDeepStrictEqual } from 'node:util';
import { OtaError } from '../../errors/ota-error.ts';
import { layoutInElf, symbolTraces } from '../firmware/elf-layout.ts';
import { proveEnforcement } from '../firmware/elf-proof.ts';
import type { Firmware } from '../firmware/firmware.ts';
import { type RsaPublicKey, readPublicKey } from '../keys/public-key.ts';
import type { Manifest } from '../model/manifest.ts';
import { buildDifferences } from '../preflight/build-differences.ts';
import type { Build } from './build.ts';
import { requireNoSigningKey } from './require-no-signing-key.ts';

/** Evidence on the machine that signs, for a build that was packed on a different machine. */
export interface SignerEvidence {
  /** Path of the manifest, for messages. */
  readonly path: string;
  /** Public half of the signing key. */
  readonly key: RsaPublicKey;
  /** ELF of the build; undefined if there is none. */
  readonly elf: Uint8Array | undefined;
  /** True if the user who signs declares that the sketch calls `Update.installSignature` itself. */
  readonly declared: boolean;
}

/**
 * Requires that the files of an unsigned build show what its manifest claims: digests, facts about the image, embedded keys, compressed
 * artifacts, the flash layout and the proof of enforcement. The machine that packed the build may be compromised, and publishing relies on
 * the manifest of a signed build.
 *
 * @throws OtaError BUILD_NOT_AS_DESCRIBED, PRIVATE_KEY_INSIDE, PROOF_NOT_SHOWN
 */
export async function requireDescribed({ manifest, files }: Build, evidence: SignerEvidence): Promise<void> {
  const { path, key } = evidence;
  const artifacts = manifest.artifacts.filter(({ signature }) => signature === 'none');
  const { differences, firmware } = await buildDifferences({
    manifest: { ...manifest, artifacts },
    key,
    read: async ({ file }) => files.get(file),
  });
  const all = [...keyDifferences(manifest), ...differences];
  if (all.length > 0 || firmware === undefined) {
    throw new OtaError('BUILD_NOT_AS_DESCRIBED', { path, differences: all });
  }
  for (const each of [key, nextKey(manifest.signing, key)]) requireNoSigningKey(firmware.content, each, path);
  const missing =
    missingProof(manifest, firmware, evidence) ??
    missingLayout(manifest, firmware, evidence) ??
    missingSymbols(manifest, firmware, evidence);
  if (missing !== undefined) throw new OtaError('PROOF_NOT_SHOWN', { path, ...missing });
}

function* keyDifferences({ signing: { publicKey }, enforcement }: Manifest): Generator<string> {
  if (publicKey === undefined) {
    if (enforcement !== 'unproven') yield 'the manifest claims that devices verify signatures, but names no public key';
  } else if (readPublicKey(publicKey.pem, 'the manifest').fingerprint !== publicKey.fingerprint) {
    yield 'the public key and its fingerprint do not match';
  }
}

interface MissingProof {
  readonly claim: string;
  readonly reason: string;
}

function missingProof(
  { enforcement, signing }: Manifest,
  firmware: Firmware,
  { elf, key, declared }: SignerEvidence,
): MissingProof | undefined {
  switch (enforcement) {
    case 'unproven':
      return undefined;
    case 'declared':
      if (declared) return undefined;
      return { claim: 'the sketch installs its verifier itself', reason: 'no file can show this' };
    case 'elf': {
      const proof = proveEnforcement({ elf, firmware, expectedKey: nextKey(signing, key) });
      if (proof.proof === 'elf') return undefined;
      return { claim: 'the ELF file shows that devices verify signatures', reason: proof.detail };
    }
  }
}

/** Returns the key that devices with this build verify updates with, which did not sign a hop. */
function nextKey({ publicKey, previousKey }: Manifest['signing'], signing: RsaPublicKey): RsaPublicKey {
  return publicKey === undefined || previousKey === undefined ? signing : readPublicKey(publicKey.pem, 'the manifest');
}

function missingLayout({ image }: Manifest, firmware: Firmware, { elf }: SignerEvidence): MissingProof | undefined {
  if (image.layout === undefined) return undefined;
  const shown = elf && layoutInElf(elf, firmware);
  if (shown?.fsStart === image.layout.fsStart && shown.fsEnd === image.layout.fsEnd) return undefined;
  const reason = elf === undefined ? 'there is no ELF file' : 'the ELF file does not show this';
  return { claim: 'the ELF file contains the flash layout', reason };
}

function missingSymbols({ image }: Manifest, firmware: Firmware, { elf }: SignerEvidence): MissingProof | undefined {
  if (image.symbols === undefined || isDeepStrictEqual(elf && symbolTraces(elf, firmware), image.symbols))
    return undefined;
  const reason = elf === undefined ? 'there is no ELF file' : 'the ELF file does not show this';
  return { claim: 'the ELF file contains symbols of the Updater or a filesystem', reason };
}
