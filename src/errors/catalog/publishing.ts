import { entry, type PathField } from './entry.ts';

export const publishingEntries = {
  DESTINATION_MISSING: entry<{ what: 'destination' | 'server' }>(
    2,
    ({ what }) => `No ${what} configured`,
    '`publish` needs a server or a folder, and `server` commands need a server.',
    ({ what }) =>
      what === 'server'
        ? 'Set OTA_SERVER or pass --server URL.'
        : 'Set OTA_SERVER, pass --to URL or --to FOLDER, or set "publish": {"to": …} in ota.config.json.',
  ),
  DESTINATION_AMBIGUOUS: entry<{ place: string }>(
    2,
    ({ place }) => `${JSON.stringify(place)} is neither a URL nor a path, so it is unclear where to publish`,
    'A name without a separator may be a misspelled URL or the name of a service. A folder of this name would hide the mistake.',
    ({ place }) => `Use ./${place} for a folder, or https://HOST for a server.`,
  ),
  // The message does not repeat the URL, because the URL may contain a password.
  SERVER_URL_INVALID: entry<{ problem: string }>(
    2,
    ({ problem }) => `The server URL is invalid: ${problem}`,
    'Only http and https URLs without a user name, password, query or fragment are accepted.',
    () => 'Use the form https://HOST[:PORT][/PATH] and set the token in the environment (OTA_TOKEN).',
  ),
  TOKEN_INVALID: entry<{ source: string }>(
    2,
    ({ source }) => `The token in ${source} is invalid: it contains spaces or non-ASCII characters`,
    'A token is sent in an HTTP header, which cannot contain such characters.',
    () => 'Use the exact token that `ota-hooks server tokens create` printed.',
  ),
  LOGIN_NOT_CHOSEN: entry<{ origin: string; howToAllow: string }>(
    2,
    ({ origin }) => `The token of your login to ${origin} was not used: only the configuration names this server`,
    'The configuration is part of the source tree. A source tree that you do not control could publish its firmware to your server with your token.',
    ({ origin, howToAllow }) => `Pass --to ${origin}, or ${howToAllow}`,
  ),
  TOKEN_UNBOUND: entry<{
    variable: string;
    origin: string;
    boundTo: string | undefined;
    howToAllow?: string | undefined;
  }>(
    2,
    ({ variable, origin, boundTo }) =>
      boundTo === undefined
        ? `The token in ${variable} was not sent to ${origin}: only the configuration names this server`
        : `The token in ${variable} was not sent to ${origin}: it is for ${boundTo}`,
    'The configuration is part of the source tree. In a source tree that you do not control, the configuration could send the token to a different server.',
    ({ variable, origin, boundTo, howToAllow }) =>
      `Set ${variable}_ORIGIN=${origin}${boundTo === undefined && howToAllow !== undefined ? `, or ${howToAllow},` : ''} if the token is for this server.`,
  ),
  SERVER_REQUIRED: entry<{ option: string; reason: string; hint: string }>(
    2,
    ({ option, reason }) => `${option} cannot be used with a folder: ${reason}`,
    'A web server only serves the files in a folder. It cannot track devices or run rollouts.',
    ({ hint }) => hint,
  ),

  MANIFEST_MISSING: entry<PathField>(
    1,
    ({ path }) => `${path} was not published: it has no manifest`,
    'The manifest, which `pack` writes, determines what may be sent to which device.',
    ({ path }) =>
      `Run \`ota-hooks pack ${path}\`; for an old build that devices still run, use \`ota-hooks publish --reference ${path}\`.`,
  ),
  PRIVATE_KEY_INSIDE: entry<PathField>(
    1,
    ({ path }) => `${path} contains the project's private key`,
    'Anyone who downloads the image could sign updates for every device of the project.',
    () =>
      'Remove the key from the filesystem folder or the embedded files; if the image has left this machine, create a new key pair.',
  ),
  NAME_MISMATCH: entry<PathField & { what: string; packed: string; wanted: string }>(
    2,
    ({ path, what, packed, wanted }) => `${path} was not published: it was packed as ${what} ${packed}, not ${wanted}`,
    'The manifest determines the names under which a build is published. Options can add names but cannot contradict the manifest.',
    ({ what, packed, wanted }) =>
      `Publish it as ${what} ${packed}, or run \`ota-hooks pack\` again with ${what} ${wanted}.`,
  ),
  RELEASES_CLASH: entry<{ reason: string; builds: string; hint: string }>(
    2,
    ({ reason, builds }) => `The builds were not published: ${reason}: ${builds}`,
    'One `publish` command publishes one version, with one build for each board and kind.',
    ({ hint }) => hint,
  ),
  PUBLISH_DECLINED: entry<{ project: string; version: string }>(
    1,
    ({ project, version }) => `${project} ${version} was not published: the prompt was not confirmed`,
    'At a terminal, `publish` prompts for confirmation before it sends a release to ten or more devices.',
    () => 'Publish it with --draft and start a rollout, or confirm the prompt (--yes).',
  ),
  VERSION_TAKEN: entry<{ project: string; version: string; what: string; where: string }>(
    1,
    ({ project, version, what, where }) =>
      `${project} ${version} (${what}) was not published: ${where} already has this version with different bytes`,
    'The bytes of a version never change, so the version that a device reports identifies its firmware.',
    () => 'Choose a different version and run `ota-hooks pack` again.',
  ),
};
