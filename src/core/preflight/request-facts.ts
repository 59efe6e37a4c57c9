import { roundUpToSector, sectorBytes } from '../device-model/flash.ts';
import type { DeviceFacts } from '../model/device-facts.ts';

/** Facts from the headers of an update check (`ESP8266HTTPUpdate::handleUpdate` in ESP8266httpUpdate.cpp). */
export interface RequestFacts {
  readonly facts: DeviceFacts;
  /** `ESP.getSketchMD5()` of the running sketch, which identifies its build. */
  readonly sketchMd5: string | undefined;
  /** Version reported by the sketch. */
  readonly version: string | undefined;
}

/** Request headers by lower-case name. */
export type Headers = ReadonlyMap<string, string>;

const prefix = 'x-esp8266-';

/**
 * Parses the headers of a saved request: lines of `Name: value`; the request line is ignored. Names may have any case, since proxies
 * change it.
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
 * Derives device facts from the headers of an update check. The filesystem starts at the end of the sketch area: the size of the
 * sketch in whole sectors plus the free space.
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

/** Returns the kind of update; devices send `spiffs` for every type of filesystem. */
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
