import { lockOutRules } from './lock-outs.ts';
import type { Rule } from './rule.ts';
import { badCore270 } from './rules/bad-core-2.7.0.ts';
import { badCore272 } from './rules/bad-core-2.7.2.ts';
import { coreAssumed } from './rules/core-assumed.ts';
import { corruptImage } from './rules/corrupt-image.ts';
import { eboot25 } from './rules/eboot-2.5.ts';
import { ecKey } from './rules/ec-key.ts';
import { embeddedKeyMissing } from './rules/embedded-key-missing.ts';
import { embeddedKeyOther } from './rules/embedded-key-other.ts';
import { enforcementUnproven } from './rules/enforcement-unproven.ts';
import { flashModeGz } from './rules/flash-mode-gz.ts';
import { flashModeMd5 } from './rules/flash-mode-md5.ts';
import { flashModeRawOld } from './rules/flash-mode-raw-old.ts';
import { flashModeSigned } from './rules/flash-mode-signed.ts';
import { flashSize } from './rules/flash-size.ts';
import { formatBoundary } from './rules/format-boundary.ts';
import { fsGzNeedsAtomic } from './rules/fs-gz-needs-atomic.ts';
import { fsInflateSize } from './rules/fs-inflate-size.ts';
import { fsModePatched } from './rules/fs-mode-patched.ts';
import { fsMoved } from './rules/fs-moved.ts';
import { fsOverwrittenThenRejected } from './rules/fs-overwritten-then-rejected.ts';
import { fsSignedSize } from './rules/fs-signed-size.ts';
import { fsSizeMismatch } from './rules/fs-size-mismatch.ts';
import { fsWebAtomic } from './rules/fs-web-atomic.ts';
import { fsWebOld } from './rules/fs-web-old.ts';
import { guardMetadata } from './rules/guard-metadata.ts';
import { guardNoMetadata } from './rules/guard-no-metadata.ts';
import { guardProduct } from './rules/guard-product.ts';
import { guardSecurityVersion } from './rules/guard-security-version.ts';
import { guardStart } from './rules/guard-start.ts';
import { gzOldDevice } from './rules/gz-old-device.ts';
import { gzSignedOldCore } from './rules/gz-signed-old-core.ts';
import { gzSignedUnaligned } from './rules/gz-signed-unaligned.ts';
import { gzSignedUnsignedDevice } from './rules/gz-signed-unsigned-device.ts';
import { inflateOverFs } from './rules/inflate-over-fs.ts';
import { inflateOverInput } from './rules/inflate-over-input.ts';
import { kindMismatch } from './rules/kind-mismatch.ts';
import { noOta } from './rules/no-ota.ts';
import { noSpace } from './rules/no-space.ts';
import { otherProject } from './rules/other-project.ts';
import { trailingData } from './rules/trailing-data.ts';
import { unsignedToSigned } from './rules/unsigned-to-signed.ts';
import { webNoData } from './rules/web-no-data.ts';
import { wrongKey } from './rules/wrong-key.ts';

/** All rules, in the order in which they run. A rule that reads `Context.errors` must follow the rules whose IDs it looks for. */
export const rules = [
  corruptImage,
  trailingData,
  kindMismatch,
  otherProject,
  gzSignedOldCore,
  gzSignedUnsignedDevice,
  gzSignedUnaligned,
  gzOldDevice,
  flashModeSigned,
  flashModeGz,
  flashModeRawOld,
  flashModeMd5,
  flashSize,
  badCore270,
  badCore272,
  inflateOverFs,
  inflateOverInput,
  unsignedToSigned,
  wrongKey,
  formatBoundary,
  guardNoMetadata,
  guardProduct,
  guardSecurityVersion,
  guardMetadata,
  guardStart,
  ...lockOutRules,
  embeddedKeyMissing,
  embeddedKeyOther,
  ecKey,
  enforcementUnproven,
  fsWebOld,
  fsSignedSize,
  noSpace,
  webNoData,
  fsInflateSize,
  fsWebAtomic,
  fsGzNeedsAtomic,
  fsSizeMismatch,
  fsModePatched,
  fsMoved,
  fsOverwrittenThenRejected,
  noOta,
  eboot25,
  coreAssumed,
] as const satisfies readonly Rule[];

export type RuleId = (typeof rules)[number]['id'];

export function isRuleId(name: string): name is RuleId {
  return rules.some(({ id }) => id === name);
}
