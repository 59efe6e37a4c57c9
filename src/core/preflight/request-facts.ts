import { roundUpToSector, sectorBytes } from '../device-model/flash.ts';
import type { DeviceFacts } from '../model/device-facts.ts';

/** Facts from the headers of an update check (`ESP8266HTTPUpdate::handleUpdate` in ESP8266httpUpdate.cpp). */
export interface RequestFacts {
  readonly facts: DeviceFacts;
  /** MD5 of the running sketch (`ESP.getSketchMD5()`), which identifies the sketch's build. */
  readonly sketchMd5: string | undefined;
  /** Firmware version that the sketch reports. */
  readonly version: string | undefined;
  readonly freeSpaceBytes: number | undefined;
}

/** Request headers by lower-case name, as in Node.js. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

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
  return Object.fromEntries(headers);
}

/** Returns a header as text; Node.js joins repeated headers with commas. */
export function headerText(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * Derives device facts from the headers of an update check. The filesystem starts at the sum of the sketch size, in whole sectors, and
 * the free space.
 */
export function factsOfRequest(headers: Headers): RequestFacts {
  const sketchSizeBytes = sizeIn(headers, 'x-esp8266-sketch-size');
  const freeSpaceBytes = sizeIn(headers, 'x-esp8266-free-space');
  const areKnown = sketchSizeBytes !== undefined && freeSpaceBytes !== undefined;
  const fsStart = areKnown ? freeSpaceBytes + roundUpToSector(sketchSizeBytes) : undefined;
  return {
    facts: {
      transport: 'http',
      kind: kindIn(headers),
      chipSizeBytes: sizeIn(headers, 'x-esp8266-chip-size'),
      sketchSizeBytes,
      fsStart: fsStart !== undefined && fsStart % sectorBytes === 0 ? fsStart : undefined,
    },
    sketchMd5: headerText(headers, 'x-esp8266-sketch-md5')?.toLowerCase(),
    version: headerText(headers, 'x-esp8266-version'),
    freeSpaceBytes,
  };
}

/** Returns whether a request is from an ESP8266. */
export function isFromDevice(headers: Headers): boolean {
  return Object.keys(headers).some((name) => name.startsWith('x-esp8266-'));
}

/** Returns a size in bytes; undefined if the header is missing or not a plain number. */
function sizeIn(headers: Headers, name: string): number | undefined {
  const value = headerText(headers, name);
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** Returns the kind of image that the request is for. Devices send `spiffs` for every type of filesystem. */
function kindIn(headers: Headers): DeviceFacts['kind'] {
  switch (headers['x-esp8266-mode']) {
    case 'sketch':
      return 'sketch';
    case 'spiffs':
      return 'filesystem';
    default:
      return undefined;
  }
}
