import * as v from 'valibot';
import {
  abortSignal,
  anObject,
  bytes,
  durationMs,
  portNumber,
  requireArgument,
  someFunction,
} from '../core/model/arguments.ts';
import { deviceFactsSchema } from '../core/model/device-facts.ts';
import type { Same } from '../core/model/fields.ts';
import { webPresets } from '../core/model/web-preset.ts';
import type { ConfirmTimings } from './confirm.ts';
import type { DeliveryMethod, DeliveryOptions, DeliveryTarget } from './delivery.ts';
import { type DeliveryMethodName, deliveryMethods } from './delivery-methods.ts';
import type { DeliveryTimings } from './timings.ts';
import { type UploadBuildOptions, type UploadTarget, uploadBuild } from './upload.ts';

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));
const ms = v.optional(durationMs);

const place = {
  host: text,
  port: v.optional(portNumber),
  hostIp: v.optional(text),
  hostPort: v.optional(portNumber),
  preset: v.optional(v.picklist(webPresets)),
  path: v.optional(text),
  field: v.optional(text),
  user: v.optional(v.string()),
};
const deliveryTimings = {
  lookupMs: ms,
  invitationIntervalMs: ms,
  invitationMs: ms,
  authenticationMs: ms,
  callBackMs: ms,
  connectMs: ms,
  stallMs: ms,
  finalReplyMs: ms,
  ackGapMs: ms,
  pauseMs: ms,
  retryBudgetMs: ms,
  attempts: v.optional(v.pipe(v.number(), v.integer('must be an integer'), v.minValue(1, 'must be at least 1'))),
  graceMs: ms,
  windowMs: ms,
};
const confirmTimings = { settleMs: ms, probeMs: ms, graceMs: ms, limitMs: ms };
const common = { password: v.optional(v.string()), signal: v.optional(abortSignal) };

const deliveryTarget = v.strictObject(place);
const deliveryOptions = v.strictObject({
  ...common,
  kind: v.picklist(['sketch', 'filesystem']),
  onProgress: v.optional(someFunction),
  timings: v.optional(v.strictObject(deliveryTimings)),
});
const uploadTarget = v.strictObject({
  ...place,
  method: v.optional(v.picklist(['espota', 'web'])),
  facts: v.optional(deviceFactsSchema),
});
const build = v.strictObject({
  manifest: v.looseObject({ image: anObject, artifacts: v.array(anObject) }),
  files: v.map(v.string(), bytes),
});
const uploadOptions = v.strictObject({
  ...common,
  confirm: v.optional(v.picklist(['none', 'returned', 'proven'])),
  intermediateBuilds: v.optional(v.array(build)),
  allow: v.optional(v.array(v.string())),
  onStep: v.optional(someFunction),
  timings: v.optional(v.strictObject({ ...deliveryTimings, ...confirmTimings })),
});

true satisfies Same<keyof DeliveryTarget, keyof v.InferOutput<typeof deliveryTarget>>;
true satisfies Same<keyof DeliveryOptions, keyof v.InferOutput<typeof deliveryOptions>>;
true satisfies Same<keyof UploadTarget, keyof v.InferOutput<typeof uploadTarget>>;
true satisfies Same<keyof UploadBuildOptions, keyof v.InferOutput<typeof uploadOptions>>;
true satisfies Same<keyof DeliveryTimings, keyof typeof deliveryTimings>;
true satisfies Same<keyof ConfirmTimings, keyof typeof confirmTimings>;

/** Delivery methods by name, with a check of their arguments (ARGUMENT_INVALID). */
export const checkedDeliveryMethods: Readonly<Record<DeliveryMethodName, DeliveryMethod>> = {
  espota: checkedMethod(deliveryMethods.espota),
  web: checkedMethod(deliveryMethods.web),
};

function checkedMethod({ defaultPort, deliver }: DeliveryMethod): DeliveryMethod {
  return {
    defaultPort,
    deliver: async (target, artifact, options) => {
      const schema = v.object({ target: deliveryTarget, artifact: bytes, options: deliveryOptions });
      requireArgument('deliver', schema, { target, artifact, options: options ?? {} });
      return deliver(target, artifact, options);
    },
  };
}

/**
 * Updates one device: selects the smallest artifact of a build that is safe for the device, sends it, and waits until the device responds
 * again.
 *
 * @param builds result of `packImage` or `signBuild`
 * @throws OtaError ARGUMENT_INVALID; the errors of {@link uploadBuild}
 */
export async function checkedUpload(
  builds: Parameters<typeof uploadBuild>[0],
  device: UploadTarget,
  options: UploadBuildOptions = {},
): ReturnType<typeof uploadBuild> {
  const schema = v.object({ build, device: uploadTarget, options: uploadOptions });
  requireArgument('upload', schema, { build: builds, device, options });
  return uploadBuild(builds, device, options);
}
