import { roundUpToSector, sectorBytes } from '../device-model/flash.ts';
import type { DeviceFacts } from '../model/device-facts.ts';

/** Facts from the headers of an update check (`ESP8266HTTPUpdate::handleUpdate` in ESP8266httpUpdate.cpp). */
export interface RequestFacts {
  readonly facts: DeviceFacts;
  /** MD5 of the running sketch (`ESP.getSketchMD5()`), which identifies the sketch's build. */
  readonly sketchMd5: string | undefined;
  /** Firmware version that the sketch reports. */
  readonly version: string | undefined;
}

/** Request headers by lower-case name. */
export type Headers = ReadonlyMap<string, string>;

const prefix = 'x-esp8266-';

/**
 * Parses the headers of a saved request, which are lines of `Name: value`. The request line is ignored. Header names may have any case,
 * because proxies can change the case.
 */
export function parseRequest(text: string): Headers {
  const headers = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) headers.set(name.toLowerCase(), value);
  }
  return headers;
}

/**
 * Derives device facts from the headers of an update check. The filesystem starts at the sum of the sketch size, in whole sectors, and
 * the free space.
 *
 * @returns undefined if the request is not from an ESP8266
 */
export function factsOfRequest(headers: Headers): RequestFacts | undefined {
  if (![...headers.keys()].some((name) => name.startsWith(prefix))) return undefined;
  const sketchSizeBytes = sizeIn(headers, 'sketch-size');
  const freeSpaceBytes = sizeIn(headers, 'free-space');
  const areKnown = sketchSizeBytes !== undefined && freeSpaceBytes !== undefined;
  const fsStart = areKnown ? freeSpaceBytes + roundUpToSector(sketchSizeBytes) : undefined;
  return {
    facts: {
      transport: 'http',
      kind: kindIn(headers),
      chipSizeBytes: sizeIn(headers, 'chip-size'),
      sketchSizeBytes,
      fsStart: fsStart !== undefined && fsStart % sectorBytes === 0 ? fsStart : undefined,
    },
    sketchMd5: headers.get(`${prefix}sketch-md5`)?.toLowerCase(),
    version: headers.get(`${prefix}version`),
  };
}

function sizeIn(headers: Headers, name: string): number | undefined {
  const value = headers.get(prefix + name);
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** Returns the kind of image that the request is for. Devices send `spiffs` for every type of filesystem. */
function kindIn(headers: Headers): DeviceFacts['kind'] {
  switch (headers.get(`${prefix}mode`)) {
    case 'sketch':
      return 'sketch';
    case 'spiffs':
      return 'filesystem';
    default:
      return undefined;
  }
}
