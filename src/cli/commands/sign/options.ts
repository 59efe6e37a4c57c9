import { Option } from '@commander-js/extra-typings';
import { compressionNames } from '../../../core/compression/names.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import { collect } from '../../shared/option-values.ts';
import { projectOptions } from '../../shared/project-options.ts';

export const signCommand = (declaration: Declaration) =>
  command(declaration, 'sign', 'Sign a file, or the build that a manifest describes', [
    'ota-hooks sign --private-key private.key --bin sketch.bin --gzip',
    'ota-hooks sign --private-key private.key --manifest build/sketch.bin.ota.json',
  ])
    .addOption(projectOptions.privateKey)
    .addOption(projectOptions.passphraseEnv)
    .addOption(projectOptions.passphraseFile)
    .addOption(projectOptions.signer)
    .addOption(projectOptions.signerCommand)
    .addOption(projectOptions.signerInput)
    .addOption(
      new Option(
        '--public-key <file>',
        'Public key that verifies the signatures of a program or file (default: public.key)',
      ).conflicts(['privateKey']),
    )
    .addOption(projectOptions.source)
    .addOption(projectOptions.config)
    .option('--bin <file>', 'File to sign')
    .option('--out <file>', 'Signed file (default: FILE.signed or FILE.gz.signed)')
    .option('--gzip', 'Compress the file with gzip before signing')
    .addOption(
      new Option('--compression <method>', 'Compress the file with this method before signing').choices(
        compressionNames,
      ),
    )
    .option('--legacy <file>', 'Also write this file, signed for devices on core 2.5.x')
    .addOption(
      new Option('--manifest <file>', 'Manifest of a `pack --unsigned` build to sign').conflicts([
        'bin',
        'out',
        'gzip',
        'compression',
        'legacy',
      ]),
    )
    .addOption(
      new Option(
        '--digest-only',
        'Write the digests to sign elsewhere, or what --signer-input names, instead of signing',
      ).conflicts(['privateKey', 'signer', 'signerCommand']),
    )
    .addOption(
      new Option('--signature <file>', 'Raw signature that was made elsewhere (repeatable)')
        .argParser(collect)
        .default([])
        .conflicts(['privateKey', 'signer', 'signerCommand', 'signerInput', 'digestOnly']),
    )
    .option('--elf <file>', 'With --manifest: ELF file of the build (default: next to the image)')
    .option('--declare-enforcement', 'With --manifest: declare that the sketch calls Update.installSignature itself');

export type SignOptions = OptionsOf<typeof signCommand>;
