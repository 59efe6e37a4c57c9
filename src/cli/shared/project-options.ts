import { Option } from '@commander-js/extra-typings';

/** Options that select the project's folder and configuration. */
export const projectOptions = {
  sourceOfBuild: new Option(
    '--source <dir>',
    'Folder of the sketch or platformio.ini (default: from the build, current folder, or the only project below it)',
  ),
  source: new Option(
    '--source <dir>',
    'Folder of the sketch or platformio.ini (default: current folder, or the only project below it)',
  ),
  config: new Option(
    '--config <file>',
    'Configuration file (default: ota.config.json in the source folder or a parent)',
  ),
  privateKey: new Option('--private-key <file>', 'Private key (PEM; default: from the configuration, or private.key)'),
  passphraseEnv: new Option('--passphrase-env <name>', 'Environment variable with the private key passphrase'),
  elf: new Option('--elf <file>', 'ELF file (default: next to the image)'),
  device: new Option('--device <facts>', 'JSON file with device facts, or the name of a device in the configuration'),
} as const;
