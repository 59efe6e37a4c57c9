/** Sends an artifact to a device: `import { deliveryWays } from 'ota-hooks/upload'`. */
export type { DeliveryOptions, DeliveryTarget, DeliveryWay } from '../upload/delivery.ts';
export type { Progress, ProgressListener } from '../upload/progress.ts';
export type { DeliveryTimings } from '../upload/timings.ts';
export { type ForeignProtocol, type Verdict, type VerdictWords, wordsOf } from '../upload/verdict.ts';
export { type DeliveryWayName, deliveryWays } from '../upload/ways.ts';
export type * from './manifest-types.ts';
