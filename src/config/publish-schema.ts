import * as v from 'valibot';
import { resourceName } from '../domain/release.ts';
import { fromEnvironment, text } from './secret-source.ts';

const toHint = 'must be the address of a server, a folder, or {"env": "NAME"}';

/** An address in a configuration is somebody's wish, not yet a reason to trust it with a token: see `publish/destination.ts`. */
export const publishSchema = v.strictObject({
  to: v.optional(
    v.pipe(
      v.union(
        [
          v.pipe(
            text,
            v.regex(/^(?!\w+:\/\/[^/]*@)/, 'must not hold a user or a password: tokens come from OTA_TOKEN'),
          ),
          fromEnvironment,
        ],
        toHint,
      ),
      v.description(
        'Where `publish` goes: the address of a server, or a folder (relative to this file) that a web server serves.',
      ),
    ),
  ),
  channel: v.optional(v.pipe(resourceName, v.description('The channel that offers it; stable by default.'))),
  hold: v.optional(
    v.pipe(
      v.boolean('must be true or false'),
      v.description(
        'true: no channel offers it; it waits on the server for a rollout, or for `server releases offer`.',
      ),
    ),
  ),
  afterBuild: v.optional(
    v.pipe(
      v.union([v.boolean(), fromEnvironment], 'must be true, false or {"env": "NAME"}'),
      v.description(
        'true: after every build. {"env": "NAME"}: after those builds in whose environment NAME is set and not 0 or false.',
      ),
    ),
  ),
});
