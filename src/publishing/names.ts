import * as v from 'valibot';
import { defaultChannel, firmwareVersion, resourceName } from '../api/release.ts';
import type { Manifest } from '../core/model/manifest.ts';
import { OtaError } from '../errors/ota-error.ts';

/** Names from the command line and from the configuration. */
export interface WantedNames {
  readonly project: string | undefined;
  readonly version: string | undefined;
  readonly channel: string | undefined;
  /** True to publish a draft, which no channel serves. */
  readonly draft: boolean;
  /** Names that apply if neither the command line nor the manifest specifies them. */
  readonly fallback: { readonly project: string | undefined; readonly version: () => string | undefined };
}

export interface Names {
  readonly project: string;
  readonly version: string;
  readonly channel: string | undefined;
}

/**
 * Returns the names under which to publish a build. Other sources may add names that the manifest does not contain, but must not
 * contradict the manifest.
 *
 * @throws OtaError NAME_MISMATCH, OPTION_MISSING, OPTION_INVALID
 */
export function resolveNames(
  manifest: Manifest,
  { project, version, channel, draft, fallback }: WantedNames,
  path: string,
): Names {
  requireSame('project', project, manifest.project, path);
  requireSame('version', version, manifest.version, path);
  const named = {
    project: project ?? manifest.project ?? fallback.project,
    version: version ?? manifest.version ?? fallback.version(),
  };
  return {
    project: valid('project', resourceName, named.project, '--project NAME, or set "project" in ota.config.json'),
    version: valid(
      'version',
      firmwareVersion,
      named.version,
      '--firmware-version V, or set "version" in ota.config.json',
    ),
    channel: draft ? undefined : valid('channel', resourceName, channel ?? defaultChannel, '--channel NAME'),
  };
}

function requireSame(what: string, wanted: string | undefined, packed: string | undefined, path: string): void {
  if (wanted === undefined || packed === undefined || wanted === packed) return;
  throw new OtaError('NAME_MISMATCH', { path, what, packed, wanted });
}

function valid(what: string, rule: v.GenericSchema<string>, name: string | undefined, how: string): string {
  if (name === undefined) {
    throw new OtaError('OPTION_MISSING', { subject: '`publish`', wanted: `a ${what}`, hint: `Add ${how}.` });
  }
  const result = v.safeParse(rule, name);
  if (result.success) return result.output;
  throw new OtaError('OPTION_INVALID', { option: what, value: name, expected: result.issues[0].message });
}
