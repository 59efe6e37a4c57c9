import { dirname, join } from 'node:path';
import { privateKeyRule } from '../api/release.ts';
import type { ReleaseFinding } from '../api/release-info.ts';
import { deviceVerdict } from '../core/firmware/device-verdict.ts';
import { readFirmware } from '../core/firmware/firmware.ts';
import { privateKeyInside } from '../core/firmware/private-keys.ts';
import { readPublicKey } from '../core/keys/public-key.ts';
import { checkRelease } from '../core/preflight/check-release.ts';
import { OtaError } from '../errors/ota-error.ts';
import type { Publication } from './publication.ts';

/**
 * Checks a build before publishing: runs the preflight rules and verifies the digest and the signature of every artifact. A server repeats
 * these checks.
 *
 * @returns warnings from the preflight rules
 * @throws OtaError NOT_SIGNED_YET, UPDATE_BLOCKED, ARTIFACT_CHANGED, NOT_ACCEPTED, PRIVATE_KEY_INSIDE
 */
export async function checkPublication(publication: Publication): Promise<readonly ReleaseFinding[]> {
  const { manifest, path, purpose, allow } = publication;
  if (purpose === 'reference') return [];
  const { publicKey } = manifest.signing;
  if (publicKey !== undefined && manifest.artifacts.every(({ signature }) => signature === 'none')) {
    throw new OtaError('NOT_SIGNED_YET', { path });
  }
  const { blockedBy, warnings } = checkRelease(manifest, { publishing: true, allow: new Set(allow) });
  if (blockedBy.length > 0) throw new OtaError('UPDATE_BLOCKED', { path, blockedBy });
  await verifyArtifacts(publication);
  await requireNoPrivateKey(publication);
  return warnings.map(({ rule, message, fix }) => ({ rule, message, fix }));
}

async function verifyArtifacts({ manifest, path, readArtifact }: Publication): Promise<void> {
  const { publicKey, previousKey } = manifest.signing;
  const signedWith = previousKey ?? publicKey;
  const key = signedWith && readPublicKey(signedWith.pem, path);
  for (const { file, signature, keyFingerprint } of manifest.artifacts) {
    const bytes = await readArtifact(file);
    if (signature === 'none') continue;
    const blockedBy = (verdict: string) => new OtaError('NOT_ACCEPTED', { path: join(dirname(path), file), verdict });
    if (key === undefined || keyFingerprint !== key.fingerprint) throw blockedBy('it was signed with a different key');
    const verdict = deviceVerdict(bytes, key, signature);
    if (!verdict.accepted) throw blockedBy(verdict.error);
  }
}

/** Rejects an image that contains a private key, because anyone who downloads the image could extract the key. */
async function requireNoPrivateKey({ manifest, path, readArtifact, allow }: Publication): Promise<void> {
  const { publicKey, previousKey } = manifest.signing;
  const keys = [publicKey, previousKey].flatMap((key) => (key === undefined ? [] : [readPublicKey(key.pem, path)]));
  const image = manifest.artifacts.find(({ file }) => file === manifest.image.file) ?? manifest.artifacts[0];
  if (image === undefined) return;
  const { content } = readFirmware(await readArtifact(image.file));
  const found = privateKeyInside(content, keys);
  if (found === 'signing-key') throw new OtaError('PRIVATE_KEY_INSIDE', { path: join(dirname(path), image.file) });
  if (found === undefined || allow.includes(privateKeyRule)) return;
  const message = 'the image contains a private key, which every download would disclose';
  const fix = 'remove the key, or allow this rule if devices need the key, for example as a TLS key';
  throw new OtaError('UPDATE_BLOCKED', { path, blockedBy: [{ rule: privateKeyRule, message, fix }] });
}
