import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { faultForms, readFault } from '../../../simulator/fault-syntax.ts';
import type { Faults } from '../../../simulator/faults.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import { flashModeOption } from '../../shared/flash-mode-option.ts';
import {
  collect,
  httpUrl,
  milliseconds,
  nonNegativeInteger,
  portOrAny,
  positiveInteger,
  seconds,
  size,
} from '../../shared/option-values.ts';

export const simulateCommand = (declaration: Declaration) =>
  command(declaration, 'simulate', 'Simulate ESP8266 devices for testing updates, until Ctrl-C', [
    'ota-hooks simulate --image build/door.ino.bin --rtt 50',
    'ota-hooks simulate --count 20 --update-url http://localhost:8080/update --interval 10 --json',
  ])
    .option(
      '--count <n>',
      'Number of devices; each further device uses the next ports, unless they are 0',
      positiveInteger,
      1,
    )
    .option('--host <address>', 'Address that devices listen on', '127.0.0.1')
    .option('--ota-port <port>', 'UDP port of ArduinoOTA (TCP port with --esphome); 0 for any free port', portOrAny, 0)
    .option('--web-port <port>', 'TCP port of the web updater; 0 for any free port', portOrAny, 0)
    .option('--esphome', 'Use the ESPHome protocol instead of ArduinoOTA')
    .option('--no-web', 'Disable the web updater')
    .option('--web-path <path>', 'Path of the web updater', '/update')
    .option('--web-user <name>', 'User name for the web updater', 'admin')
    .option('--web-password-env <variable>', 'Environment variable with the web updater password (default: no login)')
    .option('--password-env <variable>', 'Environment variable with the ArduinoOTA password')
    .option('--public-key <file>', 'Public key that the running sketch was built with (default: the key in --image)')
    .option('--no-public-key', 'Simulate a sketch that does not verify signatures')
    .option('--image <file>', 'Uncompressed sketch image that devices run (default: a synthetic 300 KB sketch)')
    .option('--manifest <file>', 'Manifest of a build that updates may install (.ota.json, repeatable)', collect, [])
    .option('--firmware-version <text>', 'Version that the running sketch sends to an update server')
    .option('--core <release>', 'Core of the running sketch (default: from the image, or 3.1.2)')
    .option('--layout <name>', 'Flash layout: linker script (4m2m) or filesystem range (0x200000-0x3fa000)')
    .addOption(flashModeOption('Flash mode (default: from the image)'))
    .addOption(
      new Option('--chip-size <size>', 'Size of the flash chip').argParser(chipSize).default(4 * 1024 * 1024, '4M'),
    )
    .option('--atomic-fs', 'Simulate a sketch built with ATOMIC_FS_UPDATE')
    .option('--rtt <ms>', 'Round-trip time of the link in milliseconds', milliseconds, 0)
    .option('--window <bytes>', 'TCP receive window in bytes; 2144 for lwIP "Lower Memory"', positiveInteger, 5840)
    .option('--flash-ms <ms>', 'Time to erase and write 4 KB of flash in milliseconds', milliseconds, 0)
    .option('--seed <n>', 'Seed for all random choices', nonNegativeInteger, 1)
    .option('--fault <what>', 'Fault to inject, see below (repeatable)', fault, [])
    .option('--random-faults', 'Inject random faults, different for each device and determined by the seed')
    .option('--quick', 'Shorten device pauses and timeouts')
    .option('--update-url <url>', 'URL to check for updates (ESP8266httpUpdate)', httpUrl)
    .option('--interval <seconds>', 'Time between update checks in seconds', seconds, 60)
    .addOption(
      new Option('--update-mode <mode>', 'Kind of update to request (default: sketch)').choices([
        'sketch',
        'filesystem',
        'version',
      ] as const),
    )
    .option('--follow-redirects', 'Follow HTTP redirects; real devices do not by default')
    .option('--ca <file>', 'CA certificates that devices trust for HTTPS, PEM (default: trust any)')
    .option('--mdns [md5]', 'Announce devices over mDNS; "md5" includes the MD5 of the running sketch')
    .option('--board <name>', 'Board name in the mDNS announcement')
    .addHelpText('after', `\nFaults:\n${faultForms.map((form) => `  ${form}`).join('\n')}`);

export type SimulateOptions = OptionsOf<typeof simulateCommand>;

function chipSize(value: string): number {
  const sizeBytes = size(value);
  if (sizeBytes >= 256 * 1024 && sizeBytes <= 16 * 1024 * 1024) return sizeBytes;
  throw new InvalidArgumentError('must be a size from 256k to 16M');
}

function fault(value: string, previous: Faults[] = []): Faults[] {
  const read = readFault(value);
  if (read !== undefined) return [...previous, read];
  throw new InvalidArgumentError('must be a fault such as reset@50%');
}
