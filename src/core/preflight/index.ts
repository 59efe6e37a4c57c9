/** Checks whether an update is safe for a device: `import { plan } from 'ota-hooks/preflight'`. */

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
export type { ReleaseCheckOptions, ReleaseVerdict } from './check-release.ts';
export {
  checkedCheckRelease as checkRelease,
  checkedFileRelease as fileRelease,
  checkedPlan as plan,
  checkedReadFirmware as readFirmware,
} from './checked.ts';
export type { Step } from './choice.ts';
export type { BlockedArtifact, BlockingFinding } from './explanation.ts';
export type { FileContext } from './file-release.ts';
export type { Plan, PlanBlock, PlanInput } from './plan.ts';
export type { RuleId } from './registry.ts';
export type { Release, ReleaseArtifact, ReleaseImage } from './release.ts';
export type { RuleFinding, Severity } from './rule.ts';
export type { PreflightFinding } from './run-rules.ts';
