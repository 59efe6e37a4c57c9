import { Option } from '@commander-js/extra-typings';
import { signerInputs } from '../../core/signing/signer-input.ts';

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
  passphraseFile: new Option('--passphrase-file <file>', 'File with the private key passphrase').conflicts([
    'passphraseEnv',
  ]),
  signer: new Option(
    '--signer <name>',
    'Program that signs, from your user configuration (variable: OTA_SIGNER)',
  ).conflicts(['privateKey', 'signerCommand']),
  signerCommand: new Option(
    '--signer-command <program>',
    'Program that signs, or a JSON list of it and its arguments (variable: OTA_SIGNER_COMMAND)',
  ).conflicts(['privateKey']),
  signerInput: new Option('--signer-input <input>', 'Input of that program (default: digest)').choices(signerInputs),
  elf: new Option('--elf <file>', 'ELF file (default: next to the image)'),
  device: new Option('--device <facts>', 'JSON file with device facts, or the name of a device in the configuration'),
} as const;
