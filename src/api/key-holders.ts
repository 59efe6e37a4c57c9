import * as v from 'valibot';
import { type DeepReadonly, sha256 } from '../core/model/fields.ts';

const devices = v.pipe(v.number(), v.integer(), v.minValue(0));

const board = v.optional(v.string());
const fingerprints = v.pipe(v.array(sha256), v.description('Fingerprints.'));

/** Keys that the devices of a project hold, as the builds that they run show. */
export const keyHoldersSchema = v.strictObject({
  /** Numbers of devices by their board and the keys that they accept. A device with the guard may accept several. */
  groups: v.array(v.strictObject({ board, keys: fingerprints, devices })),
  hops: v.pipe(
    v.array(
      v.strictObject({
        board,
        from: v.pipe(sha256, v.description('Key that signed the hop.')),
        to: v.pipe(fingerprints, v.description('Keys that devices accept after the hop.')),
      }),
    ),
    v.description('Hops that a channel has served and that are not yanked.'),
  ),
  unverified: v.pipe(devices, v.description('Devices that do not verify signatures.')),
  unknown: v.pipe(devices, v.description('Devices whose build is not recognized, or does not show its key.')),
});
export type KeyHolders = DeepReadonly<v.InferOutput<typeof keyHoldersSchema>>;
