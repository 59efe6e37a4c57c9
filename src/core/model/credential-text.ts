import { createPrivateKey } from 'node:crypto';

const pemMarker = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const serverToken = /ota_[0-9a-f]{12}_[A-Za-z0-9_-]{43}/;
/** Build servers often store a PEM file as one line of base64, which encodes the key twice. */
const mostEncodings = 3;
const encodings = [
  ['hex', /^[0-9a-f]{64,}$/i],
  ['base64', /^[A-Za-z0-9+/_-]{64,}={0,2}$/],
] as const;

/**
 * Returns whether a text contains an ota-hooks server token, or a private key as PEM or as base64 or hexadecimal text without PEM markers.
 */
export function containsCredential(text: string): boolean {
  return serverToken.test(text) || containsPrivateKey(text);
}

/** Returns whether a text contains a private key, as PEM or as base64 or hexadecimal text without PEM markers. */
export function containsPrivateKey(text: string, encodingsLeft = mostEncodings): boolean {
  if (pemMarker.test(text)) return true;
  if (encodingsLeft === 0) return false;
  const compact = text.replaceAll(/\s|\\[nr]/g, '');
  return encodings
    .filter(([, pattern]) => pattern.test(compact))
    .map(([encoding]) => Buffer.from(compact, encoding))
    .some((bytes) => isPrivateKey(bytes) || containsPrivateKey(bytes.toString('latin1'), encodingsLeft - 1));
}

function isPrivateKey(key: Buffer): boolean {
  return (['pkcs8', 'pkcs1', 'sec1'] as const).some((type) => {
    try {
      return createPrivateKey({ key, format: 'der', type }) !== undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE';
    }
  });
}
