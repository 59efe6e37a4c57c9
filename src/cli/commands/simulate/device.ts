import { resolve } from 'node:path';
import { readFirmware } from '../../../core/firmware/firmware.ts';
import { flashModes } from '../../../core/firmware/flash-header.ts';
import { flashLayoutByBorders, flashLayoutByName } from '../../../core/firmware/flash-layout.ts';
import { secretFromEnvironment } from '../../../core/model/secret-from-environment.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { loadPublicKey } from '../../../project/keys/key-files.ts';
import { faultForms, mergeFaults, readFault } from '../../../simulator/fault-syntax.ts';
import type { Faults } from '../../../simulator/faults.ts';
import type { VirtualDeviceOptions } from '../../../simulator/options.ts';
import { randomFaults } from '../../../simulator/random-faults.ts';
import { quickTimings } from '../../../simulator/timings.ts';
import type { Io } from '../../io.ts';
import { readManifestFile } from '../../shared/device-facts.ts';
import type { SimulateOptions } from './options.ts';

/** Returns the options that all simulated devices share. */
export async function simulatedDevice(options: SimulateOptions, io: Io): Promise<VirtualDeviceOptions> {
  const [image, publicKey, ca, manifests] = await Promise.all([
    options.image === undefined ? undefined : readSketch(resolve(io.cwd, options.image)),
    options.publicKey === undefined ? undefined : loadPublicKey(resolve(io.cwd, options.publicKey)),
    options.ca === undefined ? undefined : readNamedFile(resolve(io.cwd, options.ca), 'certificate'),
    Promise.all(options.manifest.map((file) => readManifestFile(resolve(io.cwd, file)))),
  ]);
  return {
    image,
    publicKey,
    manifests,
    core: options.core,
    version: options.firmwareVersion,
    flashMode: oneOf('--flash-mode', options.flashMode, flashModes),
    chipSizeBytes: chipSize(options.chipSize),
    layout: layoutOf(options),
    atomicFs: options.atomicFs,
    host: options.host,
    otaProtocol: options.esphome === true ? 'esphome' : 'arduino',
    password: secret(options.passwordEnv, io, "the devices' password"),
    webPath: options.webPath,
    webLogin: webLogin(options, io),
    updateUrl: urlOf(options.updateUrl),
    updateIntervalMs: seconds('--interval', options.interval),
    updateMode: oneOf('--update-mode', options.updateMode, ['sketch', 'filesystem', 'version']),
    followsRedirects: options.followRedirects,
    ca: ca === undefined ? undefined : Buffer.from(ca).toString('utf8'),
    mdns: options.mdns === undefined ? undefined : { board: options.board, announcesSketchMd5: options.mdns === 'md5' },
    link: {
      rttMs: numberOf('--rtt', options.rtt),
      windowBytes: wholeNumber('--window', options.window, 1),
      flashMsPerSector: numberOf('--flash-ms', options.flashMs),
    },
    timings: options.quick === true ? quickTimings : {},
  };
}

/** Returns the faults of a device: the named ones, merged over random ones from the seed with --random-faults. */
export function faultsOf(options: SimulateOptions, seed: number): Faults {
  const named = options.fault.map((word) => {
    const fault = readFault(word);
    if (fault !== undefined) return fault;
    throw usage(`--fault does not know "${word}"`, `It knows ${faultForms.join('; ')}.`);
  });
  return mergeFaults([...(options.randomFaults === true ? [randomFaults(seed)] : []), ...named]);
}

/**
 * Parses an option that must be an integer of at least `min`.
 *
 * @throws OtaError USAGE
 */
export function wholeNumber(option: string, text: string, min = 0): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value;
  throw usage(`${option} wants a whole number from ${min} on, not "${text}"`);
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw usage(`${option} wants a number that is not negative, not "${text}"`);
}

function seconds(option: string, text: string): number {
  const value = numberOf(option, text) * 1000;
  if (value > 0) return value;
  throw usage(`${option} wants a time in seconds, not "${text}"`);
}

function oneOf<const Value extends string>(
  option: string,
  text: string | undefined,
  values: readonly Value[],
): Value | undefined {
  if (text === undefined) return undefined;
  const found = values.find((value) => value === text);
  if (found !== undefined) return found;
  throw usage(`${option} does not know "${text}"`, `It knows ${values.join(', ')}.`);
}

function chipSize(text: string): number {
  const [, count, unit] = /^(\d+)(K|M)$/i.exec(text) ?? [];
  const sizeBytes = Number(count) * (unit?.toUpperCase() === 'K' ? 1024 : 1024 * 1024);
  if (sizeBytes >= 256 * 1024 && sizeBytes <= 16 * 1024 * 1024) return sizeBytes;
  throw usage(`--chip-size wants a size from 256K to 16M, not "${text}"`);
}

/** Finds a flash layout by the name of its linker script, or by the bounds of the filesystem: `0x200000-0x3fa000`. */
function layoutOf({ layout, core }: SimulateOptions): VirtualDeviceOptions['layout'] {
  if (layout === undefined) return undefined;
  const borders = layout.split('-').map(Number);
  const [start = Number.NaN, end = Number.NaN] = borders;
  const isBorders = borders.length === 2 && borders.every(Number.isSafeInteger);
  const found = isBorders ? flashLayoutByBorders(start, end) : flashLayoutByName(layout, core);
  if (found !== undefined) return found;
  const hint = 'Name a linker script, such as 4m2m, or the borders of the filesystem, such as 0x200000-0x3fa000.';
  throw usage(`--layout does not know "${layout}"`, hint);
}

function urlOf(text: string | undefined): string | undefined {
  if (text === undefined || (URL.canParse(text) && /^https?:/i.test(text))) return text;
  throw usage(`--update-url wants an http or https URL, not "${text}"`);
}

function webLogin(options: SimulateOptions, io: Io): VirtualDeviceOptions['webLogin'] {
  const password = secret(options.webPasswordEnv, io, "the web updater's password");
  return password === undefined ? undefined : { username: options.webUser, password };
}

function secret(variable: string | undefined, io: Io, purpose: string): string | undefined {
  return variable === undefined ? undefined : secretFromEnvironment(variable, io.env, purpose);
}

/** Reads the image that a device runs. It must not be compressed; a signature behind it is removed. */
async function readSketch(path: string): Promise<Uint8Array> {
  const firmware = readFirmware(await readNamedFile(path, 'image'));
  if (firmware.kind === 'sketch' && firmware.encoding === 'identity') return firmware.payload;
  if (firmware.kind === 'sketch') throw new OtaError('IMAGE_COMPRESSED', { path });
  const { kind } = firmware;
  throw new OtaError('IMAGE_WRONG_KIND', { path, kind, expected: 'sketch', hint: 'Pass a sketch image with --image.' });
}

function usage(message: string, hint?: string): OtaError<'USAGE'> {
  return new OtaError('USAGE', { message, ...(hint === undefined ? {} : { hint }) });
}
