/** Sends an artifact to a device: `import { deliveryMethods } from 'ota-hooks/upload'`. */

export type { TransferLimits } from '../core/model/transfer-pace.ts';
export type * from '../core/model/types.ts';
export type { WebPreset } from '../core/model/web-preset.ts';
export type { DeliveryMethod, DeliveryOptions, DeliveryTarget } from './delivery.ts';
export { type DeliveryMethodName, deliveryMethods } from './delivery-methods.ts';
export type { Progress, ProgressListener } from './progress.ts';
export type { DeliveryTimings } from './timings.ts';
export {
  type DeliveryVerdict,
  describeVerdict,
  type ForeignProtocol,
  type SentUpdate,
  type VerdictText,
} from './verdict.ts';
