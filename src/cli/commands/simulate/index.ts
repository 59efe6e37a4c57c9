import { once } from 'node:events';
import { OtaError } from '../../../errors/ota-error.ts';
import type { SimulatorEvent } from '../../../simulator/events.ts';
import { faultForms } from '../../../simulator/fault-syntax.ts';
import type { VirtualDeviceOptions } from '../../../simulator/options.ts';
import { startVirtualDevice, type VirtualDevice } from '../../../simulator/start-virtual-device.ts';
import { collect, command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { faultsOf, simulatedDevice, wholeNumber } from './device.ts';
import type { SimulateOptions } from './options.ts';

/** Declares the command. */
export function declareSimulate(declaration: Declaration) {
  return command(declaration, 'simulate', 'Simulate ESP8266 devices to test updates with, until Ctrl-C', [
    'ota-hooks simulate --image build/door.ino.bin --public-key public.key --rtt 50',
    'ota-hooks simulate --count 20 --update-url http://localhost:8080/update --interval 10 --json',
  ])
    .option('--count <n>', 'Number of devices; a given port is incremented for each device', '1')
    .option('--host <address>', 'Address that devices listen on', '127.0.0.1')
    .option('--ota-port <port>', 'UDP port of ArduinoOTA (TCP port with --esphome); 0 for any free port', '0')
    .option('--web-port <port>', 'TCP port of the web updater; 0 for any free port', '0')
    .option('--esphome', 'Use the ESPHome protocol instead of ArduinoOTA')
    .option('--no-web', 'Disable the web updater')
    .option('--web-path <path>', 'Path of the web updater', '/update')
    .option('--web-user <name>', 'User name for the web updater', 'admin')
    .option(
      '--web-password-env <variable>',
      'Environment variable with the password of the web updater (default: no login)',
    )
    .option('--password-env <variable>', 'Environment variable with the password of ArduinoOTA')
    .option('--public-key <file>', 'Public key that the running sketch was built with')
    .option('--image <file>', 'Sketch image that devices run, not compressed (default: a synthetic sketch of 300 KB)')
    .option('--manifest <file>', 'Manifest of a build that updates may install (.ota.json, repeatable)', collect, [])
    .option('--firmware-version <text>', 'Version that the running sketch sends to an update server')
    .option('--core <release>', 'Core of the running sketch (default: from the image, or 3.1.2)')
    .option('--layout <name>', 'Flash layout: linker script (4m2m) or filesystem range (0x200000-0x3fa000)')
    .option('--flash-mode <mode>', 'Flash mode: qio, qout, dio or dout (default: from the image)')
    .option('--chip-size <size>', 'Size of the flash chip', '4M')
    .option('--atomic-fs', 'Simulate a sketch built with ATOMIC_FS_UPDATE')
    .option('--rtt <ms>', 'Round-trip time of the link in milliseconds', '0')
    .option('--window <bytes>', 'TCP receive window in bytes; 2144 for lwIP "Lower Memory"', '5840')
    .option('--flash-ms <ms>', 'Time to erase and write 4 KB of flash in milliseconds', '0')
    .option('--seed <n>', 'Seed for all random choices', '1')
    .option('--fault <what>', 'Fault to inject, see below (repeatable)', collect, [])
    .option('--random-faults', 'Inject random faults, different for each device and determined by the seed')
    .option('--quick', 'Shorten the pauses and timeouts of devices')
    .option('--update-url <url>', 'URL to check for updates (ESP8266httpUpdate)')
    .option('--interval <seconds>', 'Time between update checks in seconds', '60')
    .option('--update-mode <mode>', 'Kind of update to request: sketch, filesystem or version (default: sketch)')
    .option('--follow-redirects', 'Follow HTTP redirects; real devices do not by default')
    .option('--ca <file>', 'CA certificates that devices trust for HTTPS, PEM (default: trust any)')
    .option('--mdns [md5]', 'Announce devices over mDNS; "md5" includes the MD5 of the running sketch')
    .option('--board <name>', 'Board name in the mDNS announcement')
    .addHelpText('after', `\nFaults:\n${faultForms.map((form) => `  ${form}`).join('\n')}`)
    .action((options) => simulate(options, declaration.io));
}

/** Runs virtual devices until the user stops them. */
export async function simulate(options: SimulateOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const common = await simulatedDevice(options, io);
  const count = wholeNumber('--count', options.count, 1);
  const started: VirtualDevice[] = [];
  try {
    for (let index = 0; index < count && !io.signal.aborted; index++) {
      const device = await start({ ...common, ...distinct(options, index) });
      started.push(device);
      for (const event of device.events.past) tell(event, device, options, report);
      device.events.on((event) => tell(event, device, options, report));
    }
    await untilAborted(io.signal);
  } finally {
    await Promise.all(started.map((device) => device.close()));
  }
}

/** Returns the options that differ between devices. */
function distinct(options: SimulateOptions, index: number): VirtualDeviceOptions {
  const seed = wholeNumber('--seed', options.seed) + index;
  return {
    seed,
    faults: faultsOf(options, seed),
    otaPort: portOf('--ota-port', options.otaPort, index),
    webPort: options.web ? portOf('--web-port', options.webPort, index) : undefined,
  };
}

function portOf(option: string, text: string, index: number): number {
  const first = wholeNumber(option, text);
  const port = first === 0 ? 0 : first + index;
  if (port <= 65_535) return port;
  throw new OtaError('USAGE', { message: `${option}: port ${port} is above 65535` });
}

async function start(options: VirtualDeviceOptions): Promise<VirtualDevice> {
  try {
    return await startVirtualDevice(options);
  } catch (cause) {
    const { code, syscall, port } = cause as NodeJS.ErrnoException & { readonly port?: number };
    if (code === undefined || syscall === undefined) throw cause;
    const address = port === undefined ? `${options.host}` : `${options.host}:${port}`;
    throw new OtaError('SIMULATOR_LISTEN_FAILED', { address, reason: code }, cause);
  }
}

/** Prints an event as one JSON object per line, or as a line for people. Update checks without an update appear only with --verbose. */
function tell(event: SimulatorEvent, device: VirtualDevice, options: SimulateOptions, report: Report): void {
  if (event.event === 'checked' && options.verbose !== true) return;
  report.event('simulate', event);
  if (options.json !== true) report.say(`${event.mac}  ${inWords(event, device, options)}`);
}

function inWords(event: SimulatorEvent, { host }: VirtualDevice, options: SimulateOptions): string {
  switch (event.event) {
    case 'ready': {
      const web = event.webPort === undefined ? '' : `, web updater http://${host}:${event.webPort}`;
      return `ready: ${options.esphome === true ? 'ESPHome on TCP' : 'espota on UDP'} ${host}:${event.otaPort}${web}`;
    }
    case 'update':
      return event.error === null ? `${event.transport}: accepted` : `${event.transport}: rejected, ${event.error}`;
    case 'boot':
      return `running the sketch with MD5 ${event.sketchMd5}`;
    case 'bricked':
      return `offline: ${event.why}`;
    case 'checked':
      return `update check: ${event.status}, no update`;
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
