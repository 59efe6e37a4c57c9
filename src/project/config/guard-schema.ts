import * as v from 'valibot';
import { printable, type Same } from '../../core/model/fields.ts';
import { text } from '../../core/model/secret-source.ts';

/** Guard of the project: additional checks that the generated header compiles into each device. */
export interface GuardConfig {
  /** Name of the product. Guarded devices reject updates whose metadata contains a different name. */
  product: string;
  /** Security version of the firmware (default: 0). Guarded devices reject updates with a lower one. Increase it to prevent a rollback. */
  securityVersion?: number | undefined;
  /**
   * `signature` (default): guarded devices also accept signed updates without metadata. `metadata`: they reject such updates. Only
   * `metadata` reliably prevents rollbacks and updates of another product or kind.
   */
  require?: 'signature' | 'metadata' | undefined;
}

const mostSecurityVersion = 0xffff_ffff;
const versionHint = `must be an integer from 0 to ${mostSecurityVersion}`;

/** @internal */
export const guardSchema = v.strictObject({
  product: v.pipe(
    text,
    printable,
    v.check((name) => !/\p{Surrogate}/u.test(name), 'must be valid Unicode'),
    v.description('Name of the product. Guarded devices reject updates for a different product.'),
  ),
  securityVersion: v.optional(
    v.pipe(
      v.number(versionHint),
      v.integer(versionHint),
      v.minValue(0, versionHint),
      v.maxValue(mostSecurityVersion, versionHint),
      v.description('Guarded devices reject updates with a lower security version (default: 0).'),
    ),
  ),
  require: v.optional(
    v.pipe(
      v.picklist(['signature', 'metadata'], 'must be signature or metadata'),
      v.description(
        'signature (default): accept signed updates without metadata. metadata: reject them; only this prevents rollbacks and updates of another product or kind.',
      ),
    ),
  ),
});

true satisfies Same<GuardConfig, v.InferOutput<typeof guardSchema>>;
