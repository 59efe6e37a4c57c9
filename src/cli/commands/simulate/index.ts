import { OtaError } from '../../../errors/ota-error.ts';
import type { SimulatorEvent } from '../../../simulator/events.ts';
import type { VirtualDeviceOptions } from '../../../simulator/options.ts';
import { startVirtualDevice, type VirtualDevice } from '../../../simulator/start-virtual-device.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import { faultsOf, simulatedDevice } from './device.ts';
import { type SimulateOptions, simulateCommand } from './options.ts';

export function declareSimulate(declaration: Declaration) {
  return simulateCommand(declaration).action((options) => simulate(options, declaration.io));
}

/** Runs virtual devices until the user stops them. */
export async function simulate(options: SimulateOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const common = await simulatedDevice(options, io);
  const started: VirtualDevice[] = [];
  const watch = offlineWatch(options.count);
  try {
    for (let index = 0; index < options.count && !io.signal.aborted; index++) {
      const device = await start({ ...common, ...distinct(options, index) });
      started.push(device);
      const see = (event: SimulatorEvent) => {
        print(event, device, options, report);
        watch.see(event);
      };
      for (const event of device.events.past) see(event);
      device.events.on(see);
    }
    await Promise.race([untilAborted(io.signal), watch.allOffline]);
  } finally {
    await Promise.all(started.map((device) => device.close()));
  }
}

/** Rejects a promise once all devices are offline for good, because nothing that the user waits for can happen any more. */
function offlineWatch(count: number) {
  const reasons: string[] = [];
  let fail: (error: OtaError) => void = () => undefined;
  const allOffline = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Devices may go offline while others are still being started.
  allOffline.catch(() => undefined);
  return {
    allOffline,
    see(event: SimulatorEvent) {
      if (event.event !== 'bricked') return;
      reasons.push(event.reason);
      if (reasons.length === count) fail(new OtaError('SIMULATOR_ALL_OFFLINE', { reasons }));
    },
  };
}

/** Returns the options that differ between devices. */
function distinct(options: SimulateOptions, index: number): VirtualDeviceOptions {
  const seed = options.seed + index;
  return {
    seed,
    faults: faultsOf(options, seed),
    otaPort: portOf('--ota-port', options.otaPort, index),
    webPort: options.web ? portOf('--web-port', options.webPort, index) : undefined,
  };
}

function portOf(option: string, first: number, index: number): number {
  const port = first === 0 ? 0 : first + index;
  if (port <= 65_535) return port;
  const expected = `must leave room for ${index + 1} ports up to 65535`;
  throw new OtaError('OPTION_INVALID', { option, value: String(first), expected });
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

/** Prints an event as one line of JSON or text. Update checks that find no update are printed only with --verbose. */
function print(event: SimulatorEvent, device: VirtualDevice, options: SimulateOptions, report: Report): void {
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
      return `offline: ${event.reason}`;
    case 'checked':
      return `update check: ${event.status}, no update`;
  }
}
