import * as v from 'valibot';
import {
  anObject,
  bytes,
  durationMs,
  portNumber,
  publicKey,
  requireArgument,
  someFunction,
} from '../core/model/arguments.ts';
import { flashMode, type Same } from '../core/model/fields.ts';
import type { VirtualDeviceOptions } from './options.ts';
import { startVirtualDevice } from './start-virtual-device.ts';
import { type SyntheticSketchOptions, syntheticSketch } from './synthetic-sketch.ts';
import type { Timings } from './timings.ts';

const text = v.optional(v.string());
const number = v.optional(v.number());
const flag = v.optional(v.boolean());
const ms = v.optional(durationMs);
const port = v.optional(portNumber);

const sketch = v.strictObject({
  sizeBytes: number,
  seed: number,
  noise: number,
  flashMode: v.optional(flashMode),
  flashSizeBytes: number,
  publicKey: v.optional(publicKey),
  coreGitHash: text,
});

const timings = {
  connectPauseMs: ms,
  connectTimeoutMs: ms,
  verdictPauseMs: ms,
  closePauseMs: ms,
  brokenPauseMs: ms,
  restartMs: ms,
  webRestartPauseMs: ms,
  httpHeaderTimeoutMs: ms,
  httpBodyTimeoutMs: ms,
  webReadTimeoutMs: ms,
};

const build = {
  core: text,
  format: v.optional(v.picklist(['current', 'legacy'])),
  layout: v.optional(v.looseObject({ fsStart: v.number(), fsEnd: v.number() })),
  atomicFs: flag,
  flashMap: flag,
  version: text,
};

const key = v.union(
  [publicKey, v.literal('none')],
  'must be none, or a key that readPublicKey or readPrivateKey returned',
);

const deviceOptions = v.strictObject({
  ...build,
  image: v.optional(v.union([bytes, sketch], 'must be an image or options for a synthetic sketch')),
  flashMode: v.optional(flashMode),
  chipSizeBytes: number,
  publicKey: v.optional(key),
  next: v.optional(
    v.union(
      [someFunction, v.strictObject({ ...build, publicKey: v.optional(key) })],
      'must be build properties or a function',
    ),
  ),
  manifests: v.optional(v.array(anObject)),
  host: text,
  otaPort: port,
  otaProtocol: v.optional(v.picklist(['arduino', 'esphome'])),
  password: text,
  webPort: port,
  webPath: text,
  webLogin: v.optional(v.strictObject({ username: v.string(), password: v.string() })),
  updateUrl: text,
  updateIntervalMs: ms,
  updateMode: v.optional(v.picklist(['sketch', 'filesystem', 'version'])),
  followsRedirects: flag,
  ca: text,
  sdkVersion: text,
  mdns: v.optional(v.strictObject({ board: text, announcesSketchMd5: flag, txt: v.optional(anObject), port })),
  mac: text,
  hostname: text,
  seed: number,
  link: v.optional(v.strictObject({ rttMs: ms, windowBytes: number, flashMsPerSector: ms })),
  faults: v.optional(
    v.strictObject({
      udp: v.optional(anObject),
      noResponse: flag,
      invitationResponse: text,
      callBack: v.optional(v.union([v.literal('never'), anObject], 'must be never or { from }')),
      greeting: v.optional(bytes),
      transfer: v.optional(anObject),
      verdict: v.optional(v.union([v.literal('none'), anObject], 'must be none or { text }')),
      offline: v.optional(anObject),
      notInstalled: v.optional(anObject),
      uploads: number,
    }),
  ),
  timings: v.optional(v.strictObject(timings)),
});

true satisfies Same<keyof SyntheticSketchOptions, keyof v.InferOutput<typeof sketch>>;
true satisfies Same<keyof Timings, keyof typeof timings>;
true satisfies Same<keyof VirtualDeviceOptions, keyof v.InferOutput<typeof deviceOptions>>;

/** {@link startVirtualDevice}, with a check of its options (ARGUMENT_INVALID). */
export const checkedVirtualDevice: typeof startVirtualDevice = async (options = {}) => {
  requireArgument('startVirtualDevice', deviceOptions, options);
  return startVirtualDevice(options);
};

/** {@link syntheticSketch}, with a check of its options (ARGUMENT_INVALID). */
export const checkedSyntheticSketch: typeof syntheticSketch = (options = {}) => {
  requireArgument('syntheticSketch', sketch, options);
  return syntheticSketch(options);
};
