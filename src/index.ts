/**
 * Functions for keys, headers, signatures and images, which operate on bytes and plain data. Also exports all other entry points except
 * the simulator.
 */

export { type DeviceVerdict, deviceVerdict } from './core/firmware/device-verdict.ts';
export { generateRsaKeyPair } from './core/keys/generate.ts';
export { type RsaPrivateKey, readPrivateKey } from './core/keys/private-key.ts';
export { readPublicKey } from './core/keys/public-key.ts';
export { signingHeader, unsignedHeader } from './core/keys/signing-header.ts';
export { verifySignature } from './core/keys/verify.ts';
export { formatManifest } from './core/model/manifest.ts';
export * from './core/pack/index.ts';
export * from './core/preflight/index.ts';
export { keyFileSigner } from './core/signing/key-file-signer.ts';
export { signImage } from './core/signing/signed-image.ts';
export * from './delivery/index.ts';
export { type ErrorCode, type ExitCode, type FieldsOf, OtaError } from './errors/ota-error.ts';
export type * from './project/config/types.ts';
