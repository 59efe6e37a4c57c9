import * as v from 'valibot';
import { type ReadFirmwareOptions, readFirmware } from '../firmware/firmware.ts';
import { anObject, bytes, publicKey, requireArgument, someFunction } from '../model/arguments.ts';
import { deviceFactsSchema } from '../model/device-facts.ts';
import type { Same } from '../model/fields.ts';
import { checkRelease, type ReleaseCheckOptions } from './check-release.ts';
import { type FileContext, fileRelease } from './file-release.ts';
import { type PlanInput, plan } from './plan.ts';
import type { Release } from './release.ts';

const text = v.string();
const ruleSet = v.optional(v.instance<SetConstructor>(Set));
const releases = v.looseObject({ image: anObject, artifacts: v.array(anObject) });

const planInput = v.strictObject({
  facts: deviceFactsSchema,
  target: releases,
  build: v.optional(releases),
  intermediateReleases: v.optional(v.array(releases)),
  allow: ruleSet,
  allowFor: v.optional(someFunction),
});

const checkOptions = v.strictObject({
  publishing: v.optional(v.boolean()),
  previous: v.optional(releases),
  allow: ruleSet,
});

const fileContext = v.strictObject({
  file: text,
  kind: v.optional(v.picklist(['sketch', 'filesystem'])),
  enforcement: v.optional(text),
  layout: v.optional(anObject),
  symbols: v.optional(anObject),
  gzipBytes: v.optional(v.number()),
});

const readOptions = v.strictObject({
  knownKeys: v.optional(v.array(publicKey)),
  maxContentBytes: v.optional(v.number()),
  gunzip: v.optional(someFunction),
});

true satisfies Same<keyof PlanInput<Release>, keyof v.InferOutput<typeof planInput>>;
true satisfies Same<keyof ReleaseCheckOptions, keyof v.InferOutput<typeof checkOptions>>;
true satisfies Same<keyof FileContext, keyof v.InferOutput<typeof fileContext>>;
true satisfies Same<keyof ReadFirmwareOptions, keyof v.InferOutput<typeof readOptions>>;

/** {@link plan}, with a check of its options (ARGUMENT_INVALID): an unknown or misspelled fact would be treated as unknown. */
export const checkedPlan: typeof plan = (question) => {
  requireArgument('plan', planInput, question);
  return plan(question);
};

/** {@link checkRelease}, with a check of its arguments (ARGUMENT_INVALID). */
export const checkedCheckRelease: typeof checkRelease = (release, options = {}) => {
  requireArgument('checkRelease', v.object({ release: releases, options: checkOptions }), { release, options });
  return checkRelease(release, options);
};

/** {@link fileRelease}, with a check of its arguments (ARGUMENT_INVALID). */
export const checkedFileRelease: typeof fileRelease = (firmware, context) => {
  requireArgument('fileRelease', v.object({ firmware: anObject, context: fileContext }), { firmware, context });
  return fileRelease(firmware, context);
};

/** {@link readFirmware}, with a check of its arguments (ARGUMENT_INVALID). */
export const checkedReadFirmware: typeof readFirmware = (image, options = {}) => {
  requireArgument('readFirmware', v.object({ bytes, options: readOptions }), { bytes: image, options });
  return readFirmware(image, options);
};
