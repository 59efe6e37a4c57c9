import { resolve } from 'node:path';
import { readFirmware } from '../../../core/firmware/firmware.ts';
import { flashLayoutByBorders, flashLayoutByName } from '../../../core/firmware/flash-layout.ts';
import { secretFromEnvironment } from '../../../core/model/secret-from-environment.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { loadPublicKey } from '../../../project/keys/key-files.ts';
import { mergeFaults } from '../../../simulator/fault-syntax.ts';
import type { Faults } from '../../../simulator/faults.ts';
import { embeddedKeyOf } from '../../../simulator/initial-sketch.ts';
import type { VirtualDeviceOptions } from '../../../simulator/options.ts';
import { randomFaults } from '../../../simulator/random-faults.ts';
import { quickTimings } from '../../../simulator/timings.ts';
import type { Io } from '../../io.ts';
import { readManifestFile } from '../../shared/device-facts.ts';
import type { SimulateOptions } from './options.ts';

/** Returns the options that all simulated devices share. */
export async function simulatedDevice(options: SimulateOptions, io: Io): Promise<VirtualDeviceOptions> {
  const [image, namedKey, ca, manifests] = await Promise.all([
    options.image === undefined ? undefined : readSketch(resolve(io.cwd, options.image)),
    typeof options.publicKey === 'string' ? loadPublicKey(resolve(io.cwd, options.publicKey)) : undefined,
    options.ca === undefined ? undefined : readNamedFile(resolve(io.cwd, options.ca), 'certificate'),
    Promise.all(options.manifest.map((file) => readManifestFile(resolve(io.cwd, file)))),
  ]);
  const imageKey = image === undefined ? undefined : embeddedKeyOf(image, manifests);
  return {
    image,
    publicKey: options.publicKey === false ? 'none' : (namedKey ?? imageKey),
    manifests,
    core: options.core,
    version: options.firmwareVersion,
    flashMode: options.flashMode,
    chipSizeBytes: options.chipSize,
    layout: layoutOf(options),
    atomicFs: options.atomicFs,
    host: options.host,
    otaProtocol: options.esphome === true ? 'esphome' : 'arduino',
    password: secret(options.passwordEnv, io, "the devices' password"),
    webPath: options.webPath,
    webLogin: webLogin(options, io),
    updateUrl: options.updateUrl,
    updateIntervalMs: options.interval * 1000,
    updateMode: options.updateMode,
    followsRedirects: options.followRedirects,
    ca: ca === undefined ? undefined : Buffer.from(ca).toString('utf8'),
    mdns: options.mdns === undefined ? undefined : { board: options.board, announcesSketchMd5: options.mdns === 'md5' },
    link: {
      rttMs: options.rtt,
      windowBytes: options.window,
      flashMsPerSector: options.flashMs,
    },
    timings: options.quick === true ? quickTimings : {},
  };
}

/** Returns the faults for a device. Faults in `--fault` override the random faults of `--random-faults`. */
export function faultsOf({ fault, randomFaults: isRandom }: SimulateOptions, seed: number): Faults {
  return mergeFaults([...(isRandom === true ? [randomFaults(seed)] : []), ...fault]);
}

/** Finds a flash layout by linker script name, or by filesystem range, such as `0x200000-0x3fa000`. */
function layoutOf({ layout, core }: SimulateOptions): VirtualDeviceOptions['layout'] {
  if (layout === undefined) return undefined;
  const borders = layout.split('-').map(Number);
  const [start = Number.NaN, end = Number.NaN] = borders;
  const isBorders = borders.length === 2 && borders.every(Number.isSafeInteger);
  const found = isBorders ? flashLayoutByBorders(start, end) : flashLayoutByName(layout, core);
  if (found !== undefined) return found;
  const expected = 'must be a linker script such as 4m2m, or a filesystem range such as 0x200000-0x3fa000';
  throw new OtaError('OPTION_INVALID', { option: '--layout', value: layout, expected });
}

function webLogin(options: SimulateOptions, io: Io): VirtualDeviceOptions['webLogin'] {
  const password = secret(options.webPasswordEnv, io, "the web updater's password");
  return password === undefined ? undefined : { username: options.webUser, password };
}

function secret(variable: string | undefined, io: Io, purpose: string): string | undefined {
  return variable === undefined ? undefined : secretFromEnvironment(variable, io.env, purpose);
}

/** Reads the sketch image that a device runs, which must be uncompressed, and removes its signature. */
async function readSketch(path: string): Promise<Uint8Array> {
  const firmware = readFirmware(await readNamedFile(path, 'image'));
  if (firmware.kind === 'sketch' && firmware.encoding === 'identity') return firmware.payload;
  if (firmware.kind === 'sketch') throw new OtaError('IMAGE_COMPRESSED', { path });
  const { kind } = firmware;
  throw new OtaError('IMAGE_WRONG_KIND', { path, kind, expected: 'sketch', hint: 'Pass a sketch image with --image.' });
}
