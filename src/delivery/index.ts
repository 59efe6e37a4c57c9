/** Sends an artifact to a device: `import { deliveryWays } from 'ota-hooks/upload'`. */

export type * from '../core/model/types.ts';
export type { DeliveryOptions, DeliveryTarget, DeliveryWay } from './delivery.ts';
export type { Progress, ProgressListener } from './progress.ts';
export type { DeliveryTimings } from './timings.ts';
export { type DeliveryVerdict, type ForeignProtocol, type VerdictWords, wordsOf } from './verdict.ts';
export { type DeliveryWayName, deliveryWays } from './ways.ts';
