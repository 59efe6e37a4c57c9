import { entry, type PathAndReason, type PathField } from './entry.ts';
import { asArgument } from './options.ts';
import { explainReason } from './system-reasons.ts';

export interface RecordedKey {
  readonly name: string;
  readonly fingerprint: string;
}

const namesOf = (keys: readonly RecordedKey[]) =>
  keys.map(({ name, fingerprint }) => `"${name}", fingerprint ${fingerprint}`).join('; ');

function devicesText(count: number, one: string, many: string): string {
  return count === 1 ? `1 device ${one}` : `${count} devices ${many}`;
}

export const projectEntries = {
  CONFIG_NOT_FOUND: entry<PathField>(
    2,
    ({ path }) => `Configuration not found: ${path}`,
    'A configuration file that is passed explicitly must exist: a build without it could be unsigned.',
    () => 'Check the path in --config.',
  ),
  CONFIG_UNREADABLE: entry<PathAndReason>(
    2,
    ({ path, reason }) => `The configuration ${path} could not be read: ${explainReason(reason)}`,
    'The file is not valid JSON or YAML, or cannot be opened.',
    () => 'Correct the file; ota.config.example.json shows a complete configuration.',
  ),
  CONFIG_INVALID: entry<PathField & { problems: readonly string[] }>(
    2,
    ({ path, problems }) =>
      `The configuration ${path} has ${problems.length === 1 ? 'an error' : `${problems.length} errors`}: ${problems.join('; ')}`,
    'Unknown keys and invalid values are errors, so that a typo in a security setting is not ignored.',
    () => 'Correct the listed keys; ota.config.example.json shows all valid keys.',
  ),

  CONFIG_OF_OTHER_USER: entry<PathField & { owner: number; isConfig: boolean; folder: string; userConfig: string }>(
    2,
    ({ path, owner, isConfig }) =>
      `${path} belongs to another user (user ID ${owner}), but ${isConfig ? 'the configuration of this project depends on it' : 'it determines where the search for a configuration ends'}`,
    'Another user who can write to a folder above the source folder could replace the keys of a build or prevent it from being signed.',
    ({ folder, userConfig }) =>
      `If you trust this user, set OTA_SAFE_DIRECTORY=${asArgument(folder)}, or add to ${userConfig}: ${JSON.stringify({ safeDirectories: [folder] })}`,
  ),
  SOURCE_UNTRUSTED: entry<{ build: string; sketch: string }>(
    2,
    ({ build, sketch }) =>
      `build.options.json in ${build} names the sketch ${sketch}, which is in another source tree: the devices and passwords of that project were not used`,
    'Otherwise, firmware from an untrusted build folder could be sent to the devices of another project.',
    ({ build, sketch }) =>
      `If the file was built from this sketch, pass --source ${asArgument(sketch)}. To trust the build folder, set OTA_SAFE_DIRECTORY=${asArgument(build)}.`,
  ),
  USER_CONFIG_INVALID: entry<PathAndReason>(
    2,
    ({ path, reason }) => `The user configuration ${path} could not be read: ${explainReason(reason)}`,
    'The user configuration is a JSON file outside every source tree. It lists the secrets, destinations and folders that you allow.',
    () => 'Correct the file; docs/security.md describes its keys.',
  ),
  USER_CONFIG_UNSAFE: entry<PathField & { problem: 'owner' | 'mode' | 'readable' }>(
    2,
    ({ path, problem }) =>
      `The user configuration was not read: ${path} ${{ owner: 'belongs to another user', mode: 'can be written by other users', readable: 'can be read by other users' }[problem]}`,
    'The user configuration determines which secrets a project may use, so it must be writable only by you. The file with the tokens of `ota-hooks login` must also be readable only by you.',
    ({ path, problem }) =>
      problem === 'owner'
        ? `Change the owner of ${path}.`
        : `Run chmod ${problem === 'mode' ? 'go-w' : '600'} ${asArgument(path)}.`,
  ),

  KEY_NOT_FOUND: entry<PathField & { kind: 'private' | 'public' }>(
    2,
    ({ path, kind }) => `${kind === 'private' ? 'Private' : 'Public'} key not found: ${path}`,
    'A key file that is passed or configured must exist.',
    () => 'Check the path. If the key was lost, restore it from a backup.',
  ),
  KEY_NOT_RECORDED: entry<{ config: string; keys: readonly RecordedKey[]; problem: string }>(
    2,
    ({ config, keys, problem }) =>
      `The signing ${keys.length === 1 ? 'key' : 'keys'} that ${config} records (${namesOf(keys)}) cannot be used: ${problem}`,
    'A build with a different key, or without one, would lock out the devices that have the recorded key, or turn off their signature checks.',
    () =>
      'Restore the key from the repository or from a backup (`ota-hooks init` writes a lost public.key again from the private key), or update "keys" if you replaced the key on purpose.',
  ),
  KEYS_RECORDED: entry<{ config: string; keys: readonly RecordedKey[] }>(
    2,
    ({ config, keys }) =>
      `No key pair was generated: ${config} already records the signing ${keys.length === 1 ? 'key' : 'keys'} ${namesOf(keys)}`,
    'Devices that have the recorded key accept no updates that a new key signs.',
    () =>
      'Restore the recorded key from a backup. For an additional key pair, pass both --private-key FILE and --public-key FILE.',
  ),
  KEY_NAME_UNKNOWN: entry<{ name: string; known: readonly string[] }>(
    2,
    ({ name, known }) =>
      `The configuration has no key ${name}: ${known.length === 0 ? 'it lists no keys' : `its keys are ${known.join(', ')}`}`,
    'Commands about keys use the names in "keys" of the configuration.',
    ({ known }) =>
      known.length === 0 ? 'Run `ota-hooks keys new NAME`.' : 'Run `ota-hooks keys status` to list the keys.',
  ),
  KEY_NAME_TAKEN: entry<{ name: string; problem: string }>(
    2,
    ({ name, problem }) => `The key ${name} was not added: ${problem}`,
    'Names and keys in "keys" of the configuration are unique.',
    () => 'Run `ota-hooks keys status` to list the keys.',
  ),
  KEY_ROLE: entry<{ name: string; role: string }>(
    2,
    ({ name, role }) => `The key ${name} is a ${role} key, not a backup key`,
    'Only a backup key can be activated or retired, so that exactly one key signs at any time.',
    ({ role }) =>
      role === 'signing'
        ? 'Activate a different key first: `ota-hooks keys activate NAME`.'
        : 'Set its role to backup in "keys" of the configuration if it is to be used again.',
  ),
  HOP_MISSING: entry<{ name: string; signing: string; held: string; devices: number | undefined }>(
    1,
    ({ name, signing, held, devices }) =>
      `${name} was not activated: ${devices === undefined ? 'the last release has' : devicesText(devices, 'has', 'have')} only ${held}, and no hop to ${signing} has been released`,
    'Devices change their key with a hop from the previous key to the signing key. If the signing key changes again before that, they need two hops.',
    ({ held }) =>
      `Release the hop first: build, then \`ota-hooks pack IMAGE --hop ${asArgument(held)} --private-key FILE\`, and publish it. To activate the key anyway, pass --without-hop.`,
  ),
  KEY_IN_USE: entry<{ name: string; signing: string; devices: number | undefined }>(
    1,
    ({ name, signing, devices }) =>
      `${name} was not retired: ${devices === undefined ? 'the last release accepts' : devicesText(devices, 'accepts', 'accept')} it, but not the signing key ${signing}`,
    'Only a release that is signed with the key, such as a hop, can update these devices.',
    ({ name }) =>
      `Wait until they have installed the hop, which \`ota-hooks keys status\` shows. If ${name} was stolen, pass --in-use.`,
  ),
  KEYS_NO_CONFIG: entry<{ folder: string }>(
    2,
    ({ folder }) => `The project in ${folder} has no configuration that could list its keys`,
    'The list "keys" in ota.config.json records the public keys of a project and their roles.',
    () => 'Run `ota-hooks init`, or create ota.config.json with the content {}.',
  ),
  KEYS_NOT_WRITTEN: entry<{ config: string; keys: string }>(
    2,
    ({ config }) => `${config} is not plain JSON, so its comments and formatting would be lost`,
    'Commands about keys change only JSON configurations.',
    ({ keys }) => `Set "keys" by hand: ${keys}`,
  ),
  HOP_KEY: entry<{ name: string }>(
    2,
    ({ name }) => `The build is not a hop: ${name} is the signing key`,
    'A hop contains the new signing key and is signed with a previous key, so that devices with the previous key can install it.',
    () => 'Remove --hop, or run `ota-hooks keys activate NAME` first.',
  ),
  SIGNING_REQUIRED: entry<PathField & { problem: string }>(
    2,
    ({ path, problem }) => `${path} was not packed: the build must be signed, but ${problem}`,
    'With `"signing": "required"` or --require-signed, a build that is not signed is an error.',
    () =>
      'Pass --private-key FILE without --unsigned. To sign elsewhere, remove the requirement ("signing" in ota.config.json, or --require-signed).',
  ),

  GUARD_REPLACED: entry<{ places: readonly string[] }>(
    1,
    ({ places }) =>
      `Update.installSignature is called at ${places.join(', ')}, which would replace the guard on the device`,
    'The call is inline, so that neither the image nor the ELF file shows it. The device would then verify updates only as the sketch does.',
    () => 'Remove the call, or remove "guard" from ota.config.json.',
  ),
  PROGRAM_MISSING: entry<{ program: string; howToGet: string }>(
    1,
    ({ program }) => `The build cannot start: ${program} was not found`,
    'Builds run in arduino-cli or PlatformIO, which are installed separately.',
    ({ howToGet }) => howToGet,
  ),
  PROGRAM_FAILED: entry<{ command: string; outcome: string; hint?: string }>(
    1,
    ({ command, outcome }) => `${command} ${outcome}`,
    'The program ended with an error and printed its own output.',
    ({ hint }) => hint ?? 'Find the cause in the output above.',
  ),
  PROJECT_NOT_FOUND: entry<{ folder: string }>(
    2,
    ({ folder }) => `No project in ${folder}: it contains neither platformio.ini nor a sketch (FOLDER/FOLDER.ino)`,
    'The files in the folder determine which build system is used.',
    () => 'Change to the project folder, or pass --source DIR.',
  ),
  PROJECT_FOLDER_UNSAFE: entry<{ folder: string; place: string }>(
    2,
    ({ folder, place }) => `${folder} is ${place}, not a project folder: nothing was changed`,
    'Files that `init` writes there would apply to every project below it.',
    () => 'Change to the folder that contains platformio.ini or the sketch, or pass --source DIR.',
  ),
  PROJECT_AMBIGUOUS: entry<{ folder: string; projects: readonly [string, string, ...string[]] }>(
    2,
    ({ folder, projects }) => `${folder} contains ${projects.length} projects: ${projects.join(', ')}`,
    'Each command works on one project.',
    ({ projects }) => `Select one of them, for example with --source ${projects[0]}.`,
  ),
  PLATFORMIO_INI_INVALID: entry<PathAndReason>(
    2,
    ({ path, reason }) => `PlatformIO cannot read ${path}: ${reason}`,
    'PlatformIO requires UTF-8 without a byte order mark, and rejects duplicate sections and circular references.',
    ({ path }) => `Correct ${path}, then run the command again.`,
  ),
  HOOK_NOT_ADDED: entry<PathField & { environment: string }>(
    2,
    ({ path, environment }) =>
      `The build was not started, because it would not be signed: [env:${environment}] in ${path} lists several extra_scripts on one line, and PlatformIO would ignore them if the hook were added`,
    'PlatformIO appends a script from the command line on a new line, and then interprets the first line as the name of a single script.',
    () => 'Run `ota-hooks init` to add the hook to the file, or write each script on a line of its own.',
  ),
  BUILD_NOT_HOOKED: entry<{ environment: string }>(
    1,
    ({ environment }) =>
      `The firmware of the environment ${environment} is not signed and has no manifest: the environment does not run the hook`,
    'PlatformIO evaluates extra_scripts of each environment. `upload` sends only builds with a manifest, and no older build in place of this one.',
    ({ environment }) =>
      `Build it with \`ota-hooks build --environment ${environment}\`, or run \`ota-hooks init\` to add the hook.`,
  ),
  HOOK_NOT_EFFECTIVE: entry<{ environments: readonly string[] }>(
    1,
    ({ environments }) =>
      `init changed the files, but PlatformIO evaluates the scripts of ${environments.join(', ')} differently than expected`,
    'After init has written the hook lines, PlatformIO evaluates all environments again.',
    () => 'Run `ota-hooks init --undo`, and add the hook to extra_scripts by hand.',
  ),
  INIT_NO_ESP8266: entry<{ folder: string; environments: readonly string[] }>(
    2,
    ({ folder, environments }) =>
      `${folder} was not set up: none of its environments builds ESP8266 firmware with the Arduino framework (${environments.join(', ')})`,
    'ota-hooks signs firmware for the ESP8266. Firmware for other chips has different formats and updaters.',
    () =>
      'Add an environment with platform = espressif8266 and framework = arduino, or use the tools of your platform.',
  ),
  INIT_RECORD_DAMAGED: entry<PathAndReason>(
    2,
    ({ path, reason }) => `${path} could not be read: ${explainReason(reason)}`,
    'The file records what `init` changed. It is required to undo these changes or to run `init` again.',
    ({ path }) => `Move ${path} elsewhere and run \`ota-hooks init\` again; revert earlier changes by hand.`,
  ),

  CORE_NOT_FOUND: entry<{ folder: string }>(
    1,
    ({ folder }) => `No ESP8266 core found in ${folder}`,
    'The hooks for the Arduino IDE are written to platform.local.txt, next to the platform.txt of an installed core.',
    () => 'Install the esp8266 platform with the Boards Manager, or pass the folder of a core with --platform DIR.',
  ),
  CORE_UNSUPPORTED: entry<{ folder: string }>(
    1,
    ({ folder }) =>
      `The core in ${folder} was not changed: its platform.txt lacks the signing recipes that core 2.6.0 introduced`,
    'The hooks replace two recipes of the core. Without a recipe of the same name, arduino-cli would skip the recipe that makes the image.',
    () =>
      'Install core 2.6.0 or later with the Boards Manager. Then run `ota-hooks doctor`, which checks that the release is safe.',
  ),
  HOOK_ARGUMENT_INVALID: entry<{ argument: string }>(
    2,
    ({ argument }) => `Arduino recipes cannot contain the argument ${JSON.stringify(argument)}`,
    'The Arduino IDE replaces properties in braces and splits recipes at spaces. An argument in quotes ends at the first quote before a space, and the rest could add options to the hooks or to the compiler.',
    () => 'Rename the folder so that its path contains neither braces nor quotes followed by spaces.',
  ),
  HOOK_LINES_DAMAGED: entry<PathField & { line: number }>(
    2,
    ({ path, line }) =>
      `${path} was not changed: line ${line} is a start or end marker of the ota-hooks lines, but the matching marker is missing`,
    'Two markers enclose the ota-hooks lines. With only one marker, it is unclear which lines may be removed.',
    ({ path }) => `Remove the ota-hooks lines and the marker from ${path} manually, then try again.`,
  ),
};
