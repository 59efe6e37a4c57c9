import { entry, type PathAndReason, type PathField } from './entry.ts';
import { asArgument } from './options.ts';
import { explainReason } from './system-reasons.ts';

export const cliEntries = {
  USAGE: entry<{ message: string; hint?: string }>(
    2,
    ({ message }) => message,
    'The command or one of its options does not exist, or an argument is missing.',
    ({ hint }) => hint ?? 'Run the command with --help to see its options.',
  ),
  OUTPUT_CONFLICT: entry<PathField>(
    2,
    ({ path }) => `${path} cannot be written: two options name this file`,
    'Output files are deleted before they are written, so a private key at the same path would be lost.',
    () => 'Pass a different output file.',
  ),
  CONFIRMATION_UNASKED: entry<{ command: string }>(
    2,
    ({ command }) => `\`${command}\` changed nothing: confirmation is required, but there is no terminal`,
    'Changes to project files, and commands that remove, revoke or stop something, require confirmation.',
    () => 'Add --yes to confirm.',
  ),
  CONFIRMATION_DECLINED: entry<{ command: string }>(
    1,
    ({ command }) => `\`${command}\` changed nothing: the prompt was not confirmed`,
    'Commands that remove, revoke or stop something prompt for confirmation at a terminal.',
    () => 'Run the command again and confirm the prompt, or add --yes.',
  ),
  PASSWORD_NOT_PROMPTED: entry<{ devices: string }>(
    2,
    ({ devices }) => `The password for ${devices} is not available: a prompt is configured, but there is no terminal`,
    'A prompt requires a terminal. Without a terminal, ota-hooks reads passwords from the environment or from files.',
    () => 'Pass --password-env NAME, or set "password" in ota.config.json to {"env": "NAME"} or {"file": "PATH"}.',
  ),

  URL_PASSWORD_EXPOSED: entry<{ option: '--database' | '--blobs' | '--to-database' | '--to-blobs' | '--mqtt' }>(
    2,
    ({ option }) => `The URL in ${option} contains a password`,
    'The list of running programs shows the command line to all users of a machine.',
    ({ option }) => {
      if (option === '--mqtt') return 'Remove the password, and set OTA_MQTT_PASSWORD.';
      return option.endsWith('database')
        ? `Remove the password, and put the whole URL into the variable OTA_DATABASE_URL or into a file for ${option}-file, or only the password into the file that PGPASSFILE names.`
        : 'Remove the password, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.';
    },
  ),
  OPEN_FILES_LIMIT: entry(
    1,
    () => 'The operating system allows no more open files for this process',
    'Each connection and each open file counts. Programs that ota-hooks starts inherit the limit.',
    () => 'Raise the limit (`ulimit -n 65536`, or LimitNOFILE= in the systemd unit), then run the command again.',
  ),
  BUILD_AMBIGUOUS: entry<{ builds: readonly string[]; environments: readonly string[] }>(
    2,
    ({ builds }) => `The project has ${builds.length} different builds: ${builds.join(', ')}`,
    'The newest build is not necessarily the one for this device.',
    ({ environments: [first = 'NAME', ...others] }) =>
      others.length === 0 ? 'Pass the file to send.' : `Pass -e NAME, for example -e ${first}, or the file to send.`,
  ),
  KEY_MISSING_FOR: entry<{ command: string; wanted: string; isRecorded?: boolean }>(
    2,
    ({ command, wanted }) => `\`${command}\` requires ${wanted}`,
    'The command needs a key, and none was passed, configured or found next to the sketch.',
    ({ wanted, isRecorded }) =>
      isRecorded === true
        ? `Add ${wanted} with the key that ota.config.json records.`
        : `Add ${wanted}, or run \`ota-hooks keygen\` to create a key pair next to the sketch.`,
  ),
  KEY_IN_ENVIRONMENT: entry<{ kind: 'private' | 'public'; variable: string }>(
    2,
    ({ kind, variable }) =>
      `The ${kind} key cannot be created: the configuration reads it from the environment variable ${variable}`,
    '`keygen` writes files and cannot set environment variables.',
    ({ kind }) => `Pass --${kind}-key FILE to write the key to a file.`,
  ),
  INIT_NOT_INSTALLED: entry(
    2,
    () => 'The project was not set up: ota-hooks is not installed in the project, and npx uses a temporary copy',
    'The hooks run ota-hooks in every build.',
    () => 'Run `npm install --save-dev ota-hooks`, then `npx ota-hooks init`.',
  ),
  PLUG_N_PLAY_UNSUPPORTED: entry(
    2,
    () => "The build hooks cannot be set up: Yarn Plug'n'Play keeps ota-hooks in an archive",
    'A build system reads the hook as a file and starts Node.js without Yarn, so the packages must be in node_modules.',
    () => 'Run `yarn config set nodeLinker node-modules` and `yarn install`, then run this command again.',
  ),
  DOCTOR_FOUND: entry<{ errors: number; fixable: number }>(
    1,
    ({ errors }) => `\`doctor\` found ${errors === 1 ? '1 error' : `${errors} errors`}`,
    'Each error makes builds or updates fail, or makes them unsafe.',
    ({ errors, fixable }) => {
      if (fixable === 0) return 'Follow the advice above.';
      if (fixable === errors) return `Run \`ota-hooks doctor --fix\` to fix ${errors === 1 ? 'it' : 'them'}.`;
      return `Run \`ota-hooks doctor --fix\` to fix ${fixable} of them, and follow the advice above for the rest.`;
    },
  ),

  UPLOAD_FAILED: entry<{ failed: number; total: number; devices: string; hint?: string | undefined }>(
    1,
    ({ failed, total, devices }) =>
      total === 1 ? `The update failed: ${devices}` : `The update failed on ${failed} of ${total} devices: ${devices}`,
    'A device reported an error or did not respond. `upload` does not retry a rejected update.',
    ({ total, hint }) =>
      hint ??
      (total === 1
        ? 'Run the command again with --verbose to see each step.'
        : 'Fix the errors above and run the command again with --resume.'),
  ),
  DEVICE_NOT_ADDED: entry<{ name: string; reason: string; hint: string }>(
    1,
    ({ name, reason }) => `${name} was not added: ${reason}`,
    '`discover --add` adds only devices that match the project, under a new name, to a configuration in plain JSON.',
    ({ hint }) => hint,
  ),
  SIMULATOR_LISTEN_FAILED: entry<{ address: string; reason: string }>(
    2,
    ({ address, reason }) => `The simulator cannot listen on ${address}: ${explainReason(reason)}`,
    'The port is in use, or the address does not belong to this machine.',
    () => 'Pass a different port or address; port 0 selects any free port.',
  ),
  SIMULATOR_ALL_OFFLINE: entry<{ reasons: readonly string[] }>(
    1,
    ({ reasons }) =>
      `${reasons.length === 1 ? 'The simulated device is' : `All ${reasons.length} simulated devices are`} offline: ${[...new Set(reasons)].join(', ')}`,
    'An update left the devices without a sketch that starts, or an injected fault turned them off. Real devices need a cable then.',
    () =>
      'Run the command again to start new devices. `ota-hooks preflight` shows beforehand which updates a device cannot start.',
  ),
  PAGE_LISTEN_FAILED: entry<{ address: string; reason: string }>(
    1,
    ({ address, reason }) => `The page cannot be served on ${address}: ${explainReason(reason)}`,
    'The port is in use, or requires more privileges.',
    () => 'Pass a different port with --port, or omit --port to use any free port.',
  ),
  PUBLISH_AFTER_BUILD_FAILED: entry<{ exitCode: number; file: string | undefined }>(
    1,
    ({ exitCode }) => `The build was not published: \`ota-hooks publish\` failed with exit code ${exitCode}`,
    'The build itself succeeded, and its artifacts are next to the image. The `publish` error is printed above this one.',
    ({ file }) =>
      `Fix the error above and run \`ota-hooks publish${file === undefined ? '' : ` ${asArgument(file)}`}\`.`,
  ),
  ROLLOUT_NOT_FOUND: entry<{ project: string; channel: string }>(
    2,
    ({ project, channel }) => `No rollout of ${project} on channel ${channel}`,
    'Without --id, `server rollouts` commands use the newest rollout on the channel.',
    () => 'Start a rollout with `ota-hooks server rollouts start`, or pass a different --channel.',
  ),
  ROLLOUT_NOT_COMPLETE: entry<{ project: string; version: string; state: string; reason?: string | undefined }>(
    1,
    ({ version, state, reason }) => `The rollout of ${version} is ${state}${reason === undefined ? '' : `: ${reason}`}`,
    'With exit code 0, `server rollouts watch` reports that the channel serves the release.',
    ({ project, state }) =>
      state === 'halted'
        ? `Check the failed devices with \`ota-hooks server devices list ${project} --failed\`, then resume, abort or roll back the rollout.`
        : `Show its history with \`ota-hooks server rollouts show ${project}\`.`,
  ),
  TOKEN_NAME_AMBIGUOUS: entry<{ name: string; ids: readonly string[] }>(
    2,
    ({ name, ids }) => `Several tokens have the name "${name}": ${ids.join(', ')}`,
    'Names of tokens are not unique.',
    ({ ids }) => `Use the ID of the token, such as ${ids[0]}.`,
  ),
  DEVICE_PROJECT_UNKNOWN: entry<{ file: string; mac: string; project?: string | undefined; suggestion: string }>(
    2,
    ({ file, mac, project }) =>
      `no project for ${mac}: ${project === undefined ? (file === '' ? 'the table names none' : `no project has the name that ${file} begins with`) : `the server has no project ${project}`}`,
    'A device must not be sent the firmware of another product, so nothing is changed until each device has a project.',
    ({ file, suggestion }) =>
      file === ''
        ? `${suggestion}Pass --project NAME, or add a column "project".`
        : `${suggestion}Publish the firmware of this device first, or map its file: --map "${file}=PROJECT"`,
  ),
  DEVICE_NAME_UNKNOWN: entry<{ project: string; name: string; suggestion: string }>(
    2,
    ({ project, name }) => `No device of ${project} has the name or MAC address "${name}"`,
    'A command names a device by its MAC address or by its display name.',
    ({ project, suggestion }) =>
      `${suggestion}List the devices with \`ota-hooks server devices list ${project}\`, and enroll new ones by MAC address.`,
  ),
  DEVICE_NAME_AMBIGUOUS: entry<{ name: string; macs: readonly string[]; isMore: boolean }>(
    2,
    ({ name, macs, isMore }) => `Several devices have the name "${name}": ${macs.join(', ')}${isMore ? ', …' : ''}`,
    'Display names are not unique.',
    ({ macs }) => `Use the MAC address, such as ${macs[0]}, or give the devices different names.`,
  ),
  DEVICE_TABLE_INVALID: entry<PathAndReason>(
    2,
    ({ path, reason }) => `${path} is not a device table: ${reason}`,
    'A device table is a JSON object with MAC addresses as keys, the PHP array of an update script, or a CSV file.',
    () => 'Correct the file, or write one device per line: 18:FE:34:AA:BB:CC,door.bin',
  ),
  LIBRARY_MISSING: entry<{ library: string }>(
    1,
    ({ library }) => `The package ${library} is missing, which ota-hooks needs`,
    "The installation is not complete, or Yarn Plug'n'Play is in use: build hooks start Node.js without Yarn, so the packages must be in node_modules.",
    () => 'Install the packages again. With Yarn 4, run `yarn config set nodeLinker node-modules` and `yarn install`.',
  ),
};
