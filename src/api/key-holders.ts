import * as v from 'valibot';
import { type DeepReadonly, sha256 } from '../core/model/fields.ts';

const devices = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Keys that the devices of a project hold, as the builds that they run show. */
export const keyHoldersSchema = v.strictObject({
  /** Numbers of devices by the keys that they accept. A device with the guard may accept several. */
  groups: v.array(v.strictObject({ keys: v.pipe(v.array(sha256), v.description('Fingerprints.')), devices })),
  unverified: v.pipe(devices, v.description('Devices that do not verify signatures.')),
  unknown: v.pipe(devices, v.description('Devices whose build is not recognized, or does not show its key.')),
});
export type KeyHolders = DeepReadonly<v.InferOutput<typeof keyHoldersSchema>>;
