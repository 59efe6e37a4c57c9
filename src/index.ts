/** Keys, headers, signatures and images as functions of bytes and plain data; and the other entry points, but for the simulator. */
export { formatManifest } from './domain/manifest.ts';
export { type ErrorCode, type ExitCode, type FieldsOf, OtaError } from './errors.ts';
export { type DeviceVerdict, deviceVerdict } from './firmware/device-verdict.ts';
export { generateRsaKeyPair } from './keys/generate.ts';
export { type RsaPrivateKey, readPrivateKey } from './keys/private-key.ts';
export { readPublicKey } from './keys/public-key.ts';
export { signingHeader, unsignedHeader } from './keys/signing-header.ts';
export { verifySignature } from './keys/verify.ts';
export type * from './library/config-types.ts';
export * from './library/pack.ts';
export * from './library/preflight.ts';
export * from './library/upload.ts';
export { keyFileSigner } from './signing/key-file-signer.ts';
export { signImage } from './signing/signed-image.ts';
