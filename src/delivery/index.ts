/** Updates devices on the network: `import { upload } from 'ota-hooks/upload'`. */

export type { DeviceFacts } from '../core/model/device-facts.ts';
export type {
  AddFix,
  ArtifactForm,
  BuildChanges,
  BuildFix,
  FormFix,
  MetadataWish,
  PreflightFix,
  SendFix,
} from '../core/model/preflight-fix.ts';
export type { TransferLimits } from '../core/model/transfer-pace.ts';
export type * from '../core/model/types.ts';
export type { WebPreset } from '../core/model/web-preset.ts';
export type { Build } from '../core/pack/build.ts';
export type { BlockedArtifact, BlockingFinding } from '../core/preflight/explanation.ts';
export type { PlanBlock } from '../core/preflight/plan.ts';
export type { RuleId } from '../core/preflight/registry.ts';
export type { ReleaseArtifact } from '../core/preflight/release.ts';
export type { RuleFinding, Severity } from '../core/preflight/rule.ts';
export type { PreflightFinding } from '../core/preflight/run-rules.ts';
export { checkedDeliveryMethods as deliveryMethods, checkedUpload as upload } from './checked.ts';
export type { Confirmation, ConfirmLevel, ConfirmTimings } from './confirm.ts';
export type { DeliveryMethod, DeliveryOptions, DeliveryTarget } from './delivery.ts';
export type { DeliveryMethodName } from './delivery-methods.ts';
export type { Progress, ProgressListener } from './progress.ts';
export type { DeliveryTimings } from './timings.ts';
export type { UpdateStep } from './update-device.ts';
export type { UploadBuildOptions, UploadResult, UploadTarget } from './upload.ts';
export {
  type DeliveryVerdict,
  describeVerdict,
  type ForeignProtocol,
  type SentUpdate,
  type VerdictText,
} from './verdict.ts';
