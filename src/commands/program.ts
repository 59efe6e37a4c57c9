import { Command, Option } from '@commander-js/extra-typings';
import { compressionNames } from '../compression/names.ts';
import { toolVersion } from '../version.ts';
import type { Io } from './io.ts';

/** All verbs: declarations only. Each imports its command when it is run, so that a hook loads no more than it uses. */
export function makeProgram(io: Io) {
  const program = new Command('ota-hooks')
    .description('Signed, compressed firmware from every ESP8266 build, and its way over the air')
    .version(toolVersion)
    .enablePositionalOptions()
    .showHelpAfterError('(run it with --help to see its options)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .exitOverride();

  verb('keygen', 'make an RSA key pair; never over one that is there', [
    'ota-hooks keygen',
    'ota-hooks keygen --bits 4096 --private-key secrets/door.key --public-key keys/door.pub',
  ])
    .option('--bits <n>', 'size of the key, 1024 to 4096', '2048')
    .option('--private-key <file>', 'where the private key goes', 'private.key')
    .option('--public-key <file>', 'where the public key goes', 'public.key')
    .action(async (options) => (await import('./keygen.ts')).keygen(options, io));

  verb('header', 'write Updater_Signing.h before a build', [
    'ota-hooks header --public-key public.key --out build/Updater_Signing.h',
    'ota-hooks header --source firmware/door --out build/core/Updater_Signing.h',
  ])
    .requiredOption('--out <file>', 'the header; its folder is made')
    .option('--public-key <file>', 'the key that devices will verify with')
    .option('--source <dir>', 'folder of the sketch or platformio.ini (default: here)')
    .option('--config <file>', 'the configuration (default: ota.config.json in the source folder or above)')
    .option('--image <file>', 'the .bin that the build will make: stale artefacts beside it are removed')
    .action(async (options) => (await import('./header.ts')).header(options, io));

  verb('sign', 'sign a file, or a finished build by its manifest', [
    'ota-hooks sign --private-key private.key --bin sketch.bin --gzip',
    'ota-hooks sign --private-key private.key --manifest build/sketch.bin.ota.json',
  ])
    .option('--private-key <file>', 'the private key, PEM')
    .option('--passphrase-env <name>', 'environment variable with the passphrase of the private key')
    .option('--bin <file>', 'the file to sign')
    .option('--out <file>', 'the signed file (default: FILE.signed, FILE.gz.signed)')
    .option('--gzip', 'compress first')
    .addOption(new Option('--compression <how>', 'compress first').choices(compressionNames))
    .option('--legacy <file>', 'also write a signature for devices on core 2.5.x')
    .option('--manifest <file>', 'sign what `pack --unsigned` made')
    .action(async (options) => (await import('./sign.ts')).sign(options, io));

  verb('pack [file...]', "make one build's artefacts and manifest", [
    'ota-hooks pack build/sketch.ino.bin',
    'ota-hooks pack build/sketch.ino.bin --unsigned --public-key public.key --json',
  ])
    .option('--source <dir>', 'folder of the sketch or platformio.ini (default: here)')
    .option('--config <file>', 'the configuration (default: ota.config.json in the source folder or above)')
    .option('--private-key <file>', 'the private key, PEM (default: private.key in the source folder)')
    .option('--public-key <file>', 'the public key (default: public.key in the source folder, or from the private key)')
    .option('--passphrase-env <name>', 'environment variable with the passphrase of the private key')
    .option('--unsigned', 'leave the signing to `sign --manifest`')
    .option('--elf <file>', 'the linked program, for the proof that the device will verify (default: beside the image)')
    .addOption(new Option('--kind <kind>', 'what the image is, where its bytes do not tell').choices(['sketch', 'filesystem'] as const))
    .addOption(new Option('--compression <how>', 'how to compress (default: gzip)').choices(compressionNames))
    .option('--legacy', 'also write .legacy_sig for devices on core 2.5.x')
    .option('--sign-compressed-filesystem', 'sign a compressed filesystem too (devices with ATOMIC_FS_UPDATE only)')
    .option('--declare-enforcement', 'the sketch calls Update.installSignature itself')
    .option('--project <name>', 'name of the project')
    .option('--firmware-version <version>', 'version of the firmware')
    .option('--board <name>', 'name of the board')
    .action(async (files, options) => (await import('./pack.ts')).pack(files, options, io));

  verb('verify <file>', 'say what a device with the key would say of a file', [
    'ota-hooks verify build/sketch.ino.bin.signed --public-key public.key',
    'ota-hooks verify old.bin.legacy_sig --public-key public.key --legacy',
  ])
    .requiredOption('--public-key <file>', 'the key of the device; may be repeated', collect)
    .option('--legacy', 'a device on core 2.5.x')
    .action(async (file, options) => (await import('./verify.ts')).verify(file, options, io));

  verb('inspect <file>', 'say what a .bin is', [
    'ota-hooks inspect build/sketch.ino.bin.gz.signed --public-key public.key',
    'ota-hooks inspect unknown.bin --json',
  ])
    .option('--public-key <file>', 'a known key; may be repeated', collect, [])
    .action(async (file, options) => (await import('./inspect.ts')).inspect(file, options, io));

  verb('signing', "stand in for the core's tools/signing.py", [
    'ota-hooks signing --mode header --publickey public.key --out Updater_Signing.h',
    'ota-hooks signing --mode sign --privatekey private.key --bin sketch.bin --out sketch.bin.signed',
  ])
    .option('-m, --mode <mode>', 'header or sign')
    .option('-b, --bin <file>', 'unsigned binary')
    .option('-o, --out <file>', 'output file')
    .option('-l, --legacy <file>', 'output file of the legacy signature')
    .option('-p, --publickey <file>', 'public key')
    .option('-s, --privatekey <file>', 'private key')
    .action(async (options) => (await import('./signing.ts')).signing(options, io));

  return program;

  /** A verb with the options that all have, and two examples at the end of its help. */
  function verb<const Usage extends string>(usage: Usage, description: string, examples: readonly [string, string]) {
    return program
      .command(usage)
      .description(description)
      .option('--json', 'one JSON document on stdout, and nothing else there')
      .option('--quiet', 'say nothing but warnings and errors')
      .option('--verbose', 'say more')
      .option('--no-color', 'no colours')
      .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
  }
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
