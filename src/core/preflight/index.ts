/** Checks whether an update is safe for a device: `import { plan } from 'ota-hooks/preflight'`. */

export { readFirmware } from '../firmware/firmware.ts';
export type * from '../firmware/types.ts';
export { type DeviceFacts, readDeviceFacts } from '../model/device-facts.ts';
export { type InvalidManifest, parseManifest } from '../model/manifest.ts';
export type {
  AddFix,
  ArtifactForm,
  BuildChanges,
  BuildFix,
  FormFix,
  MetadataWish,
  PreflightFix,
  SendFix,
} from '../model/preflight-fix.ts';
export type * from '../model/types.ts';
export { checkRelease, type ReleaseCheckOptions, type ReleaseVerdict } from './check-release.ts';
export type { Step } from './choice.ts';
export type { BlockedArtifact, BlockingFinding } from './explanation.ts';
export { type FileContext, fileRelease } from './file-release.ts';
export { type Plan, type PlanBlock, type PlanInput, plan } from './plan.ts';
export type { RuleId } from './registry.ts';
export type { Release, ReleaseArtifact, ReleaseImage } from './release.ts';
export type { RuleFinding, Severity } from './rule.ts';
export type { PreflightFinding } from './run-rules.ts';
