import { OtaError } from '../../../errors/ota-error.ts';
import type { SimulatorEvent } from '../../../simulator/events.ts';
import { faultForms } from '../../../simulator/fault-words.ts';
import type { VirtualEspOptions } from '../../../simulator/options.ts';
import { startVirtualEsp, type VirtualEsp } from '../../../simulator/virtual-esp.ts';
import { collect, command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { faultsOf, simulatedDevice, wholeNumber } from './device.ts';
import type { SimulateOptions } from './options.ts';

/** Declares the command. */
export function declare(declaration: Declaration) {
  return command(declaration, 'simulate', 'a virtual ESP8266, or many, to rehearse updates on; until Ctrl-C', [
    'ota-hooks simulate --image build/door.ino.bin --public-key public.key --rtt 50',
    'ota-hooks simulate --count 20 --update-url http://localhost:8080/update --interval 10 --json',
  ])
    .option('--count <n>', 'so many devices; ports that are named count up', '1')
    .option('--host <address>', 'where they listen', '127.0.0.1')
    .option('--ota-port <port>', 'of ArduinoOTA (UDP); 0 for any', '0')
    .option('--web-port <port>', 'of the web updater; 0 for any', '0')
    .option('--esphome', "speak ESPHome's protocol in the place of ArduinoOTA")
    .option('--no-web', 'without a web updater')
    .option('--web-path <path>', 'of the web updater', '/update')
    .option('--web-user <name>', 'its user', 'admin')
    .option('--web-password-env <variable>', 'the environment variable with its password; without one it is open')
    .option('--password-env <variable>', 'the environment variable with the password of ArduinoOTA')
    .option('--public-key <file>', 'the key that the running sketch was built with')
    .option('--image <file>', 'what runs, as the compiler made it; a made-up sketch of 300 KB by default')
    .option('--manifest <file>', 'a build that they may come to run (.ota.json); may be repeated', collect, [])
    .option('--firmware-version <text>', 'what the running sketch says of itself to an update server')
    .option('--core <release>', 'of the running sketch; what the image says by default, else 3.1.2')
    .option('--layout <name>', 'linker script (4m2m) or borders of the filesystem (0x200000-0x3fa000)')
    .option('--flash-mode <mode>', 'qio, qout, dio or dout; what the image says by default')
    .option('--chip-size <size>', 'of the flash chip', '4M')
    .option('--atomic-fs', 'built with ATOMIC_FS_UPDATE')
    .option('--rtt <ms>', 'round trip of the link', '0')
    .option('--window <bytes>', "the device's TCP window; 2144 with lower memory", '5840')
    .option('--flash-ms <ms>', 'to erase and write 4 KB of flash', '0')
    .option('--seed <n>', 'of all that is left to chance', '1')
    .option('--fault <what>', 'something that goes wrong, see below; may be repeated', collect, [])
    .option('--random-faults', 'faults by the seed, another one for each device')
    .option('--quick', "without the device's pauses")
    .option('--update-url <url>', 'where they ask for updates (ESP8266httpUpdate)')
    .option('--interval <seconds>', 'from one question to the next', '60')
    .option('--update-mode <mode>', 'sketch, filesystem or version')
    .option('--follow-redirects', 'which the HTTP client does not do by itself')
    .option('--ca <file>', 'the certificates (PEM) that they trust for https; any by default')
    .option('--mdns [md5]', 'announce themselves; with "md5" the MD5 of the running sketch too')
    .option('--board <name>', 'what they announce as their board')
    .addHelpText('after', `\nFaults:\n${faultForms.map((form) => `  ${form}`).join('\n')}`)
    .action((options) => simulate(options, declaration.io));
}

/** Runs virtual devices until the user ends it. */
export async function simulate(options: SimulateOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const common = await simulatedDevice(options, io);
  const count = wholeNumber('--count', options.count, 1);
  const started: VirtualEsp[] = [];
  try {
    for (let index = 0; index < count && !io.signal.aborted; index++) {
      const esp = await start({ ...common, ...distinct(options, index) });
      started.push(esp);
      for (const event of esp.events.past) tell(event, esp, options, report);
      esp.events.on((event) => tell(event, esp, options, report));
    }
    await untilAborted(io.signal);
  } finally {
    await Promise.all(started.map((esp) => esp.close()));
  }
}

/** What each device has for itself. */
function distinct(options: SimulateOptions, index: number): VirtualEspOptions {
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
  throw new OtaError('USAGE', { message: `${option}: there is no port ${port}` });
}

async function start(options: VirtualEspOptions): Promise<VirtualEsp> {
  try {
    return await startVirtualEsp(options);
  } catch (cause) {
    const { code, syscall, port } = cause as NodeJS.ErrnoException & { readonly port?: number };
    if (code === undefined || syscall === undefined) throw cause;
    const message = `the simulator cannot listen on ${options.host}${port === undefined ? '' : `, port ${port}`}: ${code}`;
    throw new OtaError(
      'USAGE',
      { message, hint: 'Name another port or address; port 0 takes any that is free.' },
      cause,
    );
  }
}

/** One JSON object a line, or a line for people. That there was nothing to do is told only with --verbose. */
function tell(event: SimulatorEvent, esp: VirtualEsp, options: SimulateOptions, report: Report): void {
  if (event.event === 'checked' && options.verbose !== true) return;
  report.event('simulate', event);
  if (options.json !== true) report.say(`${event.mac}  ${inWords(event, esp, options)}`);
}

function inWords(event: SimulatorEvent, { host }: VirtualEsp, options: SimulateOptions): string {
  switch (event.event) {
    case 'ready': {
      const web = event.webPort === undefined ? '' : `, web updater http://${host}:${event.webPort}`;
      return `ready: ${options.esphome === true ? 'ESPHome on TCP' : 'espota on UDP'} ${host}:${event.otaPort}${web}`;
    }
    case 'update':
      return event.error === null ? `${event.transport}: accepted` : `${event.transport}: rejected, ${event.error}`;
    case 'boot':
      return `runs the sketch with MD5 ${event.sketchMd5}`;
    case 'bricked':
      return `does not come back: ${event.why}`;
    case 'checked':
      return `asked for an update: ${event.status}, nothing to do`;
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
