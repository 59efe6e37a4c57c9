import * as v from 'valibot';
import { resourceName } from '../../api/release.ts';
import type { Same } from '../../core/model/fields.ts';
import { type FromEnvironment, fromEnvironment, text } from '../../core/model/secret-source.ts';

/** Destination of `publish`, and the conditions for publishing after a build. */
export interface PublishConfig {
  /** URL of a server, or path of a folder relative to the configuration. */
  to?: string | FromEnvironment | undefined;
  /** Channel to which releases are promoted. Defaults to `stable`. */
  channel?: string | undefined;
  /** True to publish drafts, which no channel serves. */
  draft?: boolean | undefined;
  /** False to publish only the signed artifacts of a signed build. Defaults to true. */
  unsigned?: boolean | undefined;
  /** `true`: publish after every build. An environment variable: publish if the variable is set to a value other than `0` or `false`. */
  afterBuild?: boolean | FromEnvironment | undefined;
}

const toHint = 'must be the URL of a server, a folder, or {"env": "NAME"}';

/**
 * A server address in the configuration does not authorize sending a token to this address. See `src/publishing/destination.ts`.
 *
 * @internal
 */
export const publishSchema = v.strictObject({
  to: v.optional(
    v.pipe(
      v.union(
        [
          v.pipe(
            text,
            v.regex(/^(?!\w+:\/\/[^/]*@)/, 'must not contain a user or a password; the token is read from OTA_TOKEN'),
          ),
          fromEnvironment,
        ],
        toHint,
      ),
      v.description(
        'Destination of `publish`: URL of an update server, or a folder (relative to this file) that a web server serves.',
      ),
    ),
  ),
  channel: v.optional(v.pipe(resourceName, v.description('Channel to promote the release to (default: stable).'))),
  draft: v.optional(
    v.pipe(
      v.boolean('must be true or false'),
      v.description('true: publish a draft for a rollout or for `server releases promote`; no channel serves it yet.'),
    ),
  ),
  unsigned: v.optional(
    v.pipe(
      v.boolean('must be true or false'),
      v.description(
        'false: publish only the signed artifacts of a signed build, if all devices verify signatures (default: true).',
      ),
    ),
  ),
  afterBuild: v.optional(
    v.pipe(
      v.union([v.boolean(), fromEnvironment], 'must be true, false or {"env": "NAME"}'),
      v.description(
        'true: publish after every build. {"env": "NAME"}: publish after builds in whose environment NAME is set and not 0 or false.',
      ),
    ),
  ),
});

true satisfies Same<PublishConfig, v.InferOutput<typeof publishSchema>>;
