import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { OtaError } from '../../errors/ota-error.ts';
import { maxKeyBits, minKeyBits } from './public-key.ts';

/**
 * Generates an RSA key pair as PEM text: PKCS#8 and SubjectPublicKeyInfo, as written by `openssl genrsa` and `openssl rsa -pubout`. With a
 * passphrase, the PKCS#8 is encrypted with AES-256.
 */
export async function generateRsaKeyPair(
  bits: number,
  passphrase?: string,
): Promise<{ privateKey: string; publicKey: string }> {
  if (!Number.isInteger(bits) || bits < minKeyBits || bits > maxKeyBits) {
    throw new OtaError('OPTION_INVALID', {
      option: '--bits',
      value: String(bits),
      expected: `must be an integer from ${minKeyBits} to ${maxKeyBits}`,
      hint: 'Use --bits 2048. A device verifies a 2048-bit signature in less than a second.',
    });
  }
  return promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
    publicExponent: 65537,
    privateKeyEncoding: {
      type: 'pkcs8',
      format: 'pem',
      ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }),
    },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}
