import { privateKeyRule } from '../../../api/release.ts';
import type { AllowedRule } from '../../../publishing/publication.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import { allowedRule } from '../../shared/allowed-rules.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { serverOptions } from '../../shared/server-options.ts';

export const publishCommand = (declaration: Declaration) =>
  command(declaration, 'publish [file]', 'Publish a build to an update server or a folder', [
    'ota-hooks publish build/door.ino.bin --to https://ota.example.com --project door',
    'ota-hooks publish --reference door-1.0.bin --firmware-version 1.0 --to https://ota.example.com --project door',
  ])
    .option('--to <url|folder>', 'Update server URL or folder (default: from the configuration, then OTA_SERVER)')
    .option('--project <name>', 'Project name (default: from the manifest)')
    .option('--channel <name>', 'Channel to promote the release to (default: stable)')
    .option('--draft', 'Publish a draft, which no channel serves until it is promoted or rolled out')
    .option('--notes <file>', 'Markdown file with the release notes, which the server stores with the version')
    .option('--yes', 'Skip the confirmation prompt for a release to ten or more devices')
    .option('--firmware-version <version>', 'Firmware version (default: from the manifest)')
    .addOption(serverOptions.tokenEnv)
    .addOption(serverOptions.ca)
    .option(
      '--reference <file>',
      'Publish a reference build, so that devices running it are recognized; it is never sent to devices',
    )
    .option('--elf <file>', 'With --reference: ELF file that shows whether the reference build verifies signatures')
    .option('--board <name>', 'With --reference: board of the build')
    .option('--allow <rule>', 'Preflight rule to report as a warning instead of an error (repeatable)', allowed, [])
    .addOption(projectOptions.sourceOfBuild)
    .addOption(projectOptions.config)
    .option(
      '--after-build',
      'For build hooks: publish if "publish.afterBuild" is set, in a process without the private key',
    )
    .option(
      '--passphrase-env <name>',
      'With --after-build: environment variable that the publish process does not receive',
    );

export type PublishOptions = OptionsOf<typeof publishCommand>;

function allowed(value: string, previous: AllowedRule[] = []): AllowedRule[] {
  return value === privateKeyRule ? [...previous, value] : [...previous, ...allowedRule(value)];
}
