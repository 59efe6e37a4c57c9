import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import { signatureFault } from '../../core/signing/explain-signature.ts';
import type { Signer } from '../../core/signing/signer.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { mostSmallFileBytes, readFailure, readFileOrPipe } from '../../files/bounded-read.ts';
import { faultText } from './fault-text.ts';

/** Signer that finds each signature among files that were signed elsewhere. */
export interface DetachedSigner {
  readonly signer: Signer;
  /** @throws OtaError SIGNATURE_REJECTED for a file that signed nothing of the build */
  requireAllUsed(): void;
}

/**
 * Reads detached signatures. The order of the files does not matter, because each signature is matched to the bytes that it covers.
 *
 * @throws OtaError FILE_UNREADABLE; `sign` throws SIGNATURE_REJECTED
 */
export async function detachedSigner(paths: readonly string[], publicKey: RsaPublicKey): Promise<DetachedSigner> {
  const signatures = await Promise.all(paths.map(async (path) => ({ path, bytes: await readSignature(path) })));
  const used = new Set<string>();
  const signer: Signer = {
    publicKey,
    async sign(payload, format) {
      const faults = signatures.map((one) => ({
        ...one,
        fault: signatureFault(payload, one.bytes, publicKey, format),
      }));
      const valid = faults.find(({ fault }) => fault === undefined);
      if (valid !== undefined) {
        used.add(valid.path);
        return valid.bytes;
      }
      // A file that is no signature of this key explains more than one that belongs to another file of the build.
      const worst = faults.find(({ fault }) => fault !== 'other-content') ?? faults[0];
      if (worst?.fault === undefined) throw new Error('there are no signatures to choose from');
      const { path, bytes, fault } = worst;
      if (fault === 'other-content') throw other(path);
      throw new OtaError('SIGNATURE_REJECTED', { path, ...faultText(fault, bytes, publicKey) });
    },
  };
  return {
    signer,
    requireAllUsed() {
      const unused = paths.find((path) => !used.has(path));
      if (unused !== undefined) throw other(unused);
    },
  };
}

function other(path: string): OtaError {
  return new OtaError('SIGNATURE_REJECTED', {
    path,
    problem: 'it is a signature of different bytes',
    hint: 'Pass one signature for each file that `sign --digest-only` writes for this image.',
  });
}

async function readSignature(path: string): Promise<Buffer> {
  try {
    return await readFileOrPipe(path, { fileBytes: mostSmallFileBytes });
  } catch (cause) {
    throw new OtaError('FILE_UNREADABLE', { path, reason: readFailure(cause) }, cause);
  }
}
