import { resolve } from 'node:path';
import { type DeviceFacts, readDeviceFacts } from '../../core/model/device-facts.ts';
import { type Manifest, readManifest } from '../../core/model/manifest.ts';
import { didYouMean } from '../../core/model/nearest-names.ts';
import { factsOfRequest, isFromDevice, parseRequest } from '../../core/preflight/request-facts.ts';
import { recognize } from '../../core/preflight/running.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readNamedFile, readOptionalFile } from '../../files/read.ts';
import type { ProjectSettings } from '../../project/config/settings.ts';
import type { Io } from '../io.ts';
import { type DeviceOptions, factsOfOptions } from './device-options.ts';

/** Sources of facts about a device. */
export type DeviceSources = DeviceOptions & {
  /** Path of a device facts file, or the name of a device in the configuration. */
  readonly device?: string | undefined;
  /** File that contains the headers of an HTTP update request. */
  readonly request?: string | undefined;
  /** Paths of manifests for builds that the device may be running. */
  readonly reference: readonly string[];
};

/**
 * Collects the facts about a device. The sources are the configuration or a facts file, a saved request, the running build, and
 * command-line options. Later sources override earlier ones.
 *
 * @throws OtaError FACTS_INVALID, FILE_NOT_FOUND, MANIFEST_INVALID, FORMAT_TOO_NEW
 */
export async function deviceFacts(sources: DeviceSources, settings: ProjectSettings, io: Io): Promise<DeviceFacts> {
  const { device, request } = sources;
  return {
    ...defined(device === undefined ? {} : await namedDevice(device, settings, io)),
    ...defined(request === undefined ? {} : await requestingDevice(request, sources.reference, io)),
    ...factsOfOptions(sources),
  };
}

/** Reads the facts about a device. A facts file overrides a configured device of the same name. */
async function namedDevice(name: string, { config }: ProjectSettings, io: Io): Promise<DeviceFacts> {
  const path = resolve(io.cwd, name);
  const text = await readOptionalFile(path);
  const inventory = config.devices?.[name];
  if (text === undefined && inventory !== undefined) {
    return { ...inventory.facts, board: inventory.board, project: config.project, transport: inventory.method };
  }
  if (text === undefined) {
    const suggestion = didYouMean(name, Object.keys(config.devices ?? {}));
    throw new OtaError('FILE_NOT_FOUND', { path, what: 'device facts file', suggestion });
  }
  const read = readDeviceFacts(parseJson(Buffer.from(text).toString('utf8'), path));
  if ('problems' in read) throw new OtaError('FACTS_INVALID', { path, problems: read.problems });
  return read.facts;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new OtaError('FACTS_INVALID', { path, problems: ['it is not JSON'] }, cause);
  }
}

async function requestingDevice(name: string, known: readonly string[], io: Io): Promise<DeviceFacts> {
  const path = resolve(io.cwd, name);
  const text = Buffer.from(await readNamedFile(path, 'request')).toString('latin1');
  const headers = parseRequest(text);
  if (!isFromDevice(headers)) {
    throw new OtaError('FACTS_INVALID', { path, problems: ['it contains no ESP8266 header line (x-ESP8266-…)'] });
  }
  const manifests = await Promise.all(known.map((file) => readManifestFile(resolve(io.cwd, file))));
  const request = factsOfRequest(headers);
  const running = request.sketchMd5 === undefined ? undefined : recognize(request.sketchMd5, manifests);
  return { ...defined(running?.facts ?? {}), ...defined(request.facts) };
}

/**
 * Reads a manifest file.
 *
 * @throws OtaError FILE_NOT_FOUND, MANIFEST_INVALID, FORMAT_TOO_NEW
 */
export async function readManifestFile(path: string): Promise<Manifest> {
  return readManifest(await readNamedFile(path, 'manifest'), path);
}

/** Removes undefined facts, so that they do not override facts from an earlier source. */
function defined(facts: DeviceFacts): DeviceFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
