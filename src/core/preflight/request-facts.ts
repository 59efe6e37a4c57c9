import { roundUpToSector, sectorBytes } from '../device-model/flash.ts';
import type { DeviceFacts } from '../model/device-facts.ts';

/** What the headers of an update request tell (`ESP8266HTTPUpdate::handleUpdate` in ESP8266httpUpdate.cpp). */
export interface RequestFacts {
  readonly facts: DeviceFacts;
  /** `ESP.getSketchMD5()` of what runs: by it a build is recognized. */
  readonly sketchMd5: string | undefined;
  /** What the sketch gave as its version. */
  readonly version: string | undefined;
}

/** A request's headers, the names in lower case. */
export type Headers = ReadonlyMap<string, string>;

const prefix = 'x-esp8266-';

/**
 * Reads the headers of a request as it was saved: a request line, which does not matter, and lines of `Name: value`. Names come in any
 * case, since proxies change it.
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
 * What such a request tells of a device. The sketch area ends where the filesystem starts: at the free space plus the sketch, which takes
 * whole sectors.
 *
 * @returns undefined when it is no request of an ESP8266
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

/** The filesystem's mode has the name of the oldest one, whatever it is today. */
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
