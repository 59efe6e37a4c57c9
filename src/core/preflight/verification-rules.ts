import { flashModeSigned } from './rules/flash-mode-signed.ts';
import { formatBoundary } from './rules/format-boundary.ts';
import { guardMetadata } from './rules/guard-metadata.ts';
import { guardNoMetadata } from './rules/guard-no-metadata.ts';
import { guardProduct } from './rules/guard-product.ts';
import { guardSecurityVersion } from './rules/guard-security-version.ts';
import { guardStart } from './rules/guard-start.ts';
import { gzSignedUnaligned } from './rules/gz-signed-unaligned.ts';
import { unsignedToSigned } from './rules/unsigned-to-signed.ts';
import { wrongKey } from './rules/wrong-key.ts';

/** Rules that predict a rejection after the device has written all bytes: by the signature check, or by the guard (`UpdaterClass::end`). */
export const verificationRules: readonly string[] = [
  unsignedToSigned,
  wrongKey,
  formatBoundary,
  gzSignedUnaligned,
  flashModeSigned,
  guardNoMetadata,
  guardProduct,
  guardSecurityVersion,
  guardMetadata,
  guardStart,
].map(({ id }) => id);
