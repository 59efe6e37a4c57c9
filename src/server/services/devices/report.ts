import type { IncomingHttpHeaders } from 'node:http';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import { factsOfRequest } from '../../../core/preflight/request-facts.ts';
import { Lru } from '../../lru.ts';
import type { StoredReport } from '../../storage/records.ts';

/** x-ESP8266-mode: what a device asks for. `spiffs` means the filesystem, whatever it is. */
export type Mode = 'sketch' | 'spiffs' | 'version';

/** What a device said of itself in one request but its MAC (`ESP8266HTTPUpdate::handleUpdate`). */
export interface DeviceReport {
  /** The same for those that say the same, while that is remembered. */
  readonly id: number;
  /** `ESP.getSketchMD5()` of what runs. */
  readonly sketchMd5: string | undefined;
  /** What the sketch gave as its version. */
  readonly version: string | undefined;
  readonly sdkVersion: string | undefined;
  readonly freeSpaceBytes: number | undefined;
  /** Sizes, and what follows from them. */
  readonly facts: DeviceFacts;
}

/** What the update script of the core's documentation wants to see, in lower case. */
const wanted = [
  'x-esp8266-mode',
  'x-esp8266-sta-mac',
  'x-esp8266-ap-mac',
  'x-esp8266-free-space',
  'x-esp8266-sketch-size',
  'x-esp8266-sketch-md5',
  'x-esp8266-chip-size',
  'x-esp8266-sdk-version',
] as const;

/** Texts are kept; a flood of long ones must not be. */
const longestText = 128;
const macRule = /^[0-9A-F]{2}(:[0-9A-F]{2}){5}$/;

/** @returns the name of the header that an updater would have sent */
export function missingHeader(headers: IncomingHttpHeaders): string | undefined {
  return wanted.find((name) => headers[name] === undefined);
}

/** A header that comes once; node joins repeated ones with commas. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** The MAC in capitals, or undefined when it is none. */
export function readMac(text: string | undefined): string | undefined {
  const mac = text?.toUpperCase();
  return mac !== undefined && macRule.test(mac) ? mac : undefined;
}

export function readMode(text: string | undefined): Mode | undefined {
  return text === 'sketch' || text === 'spiffs' || text === 'version' ? text : undefined;
}

/** Devices of a fleet differ in little: what they say was mostly said by another one before. */
const mostRemembered = 1024;
const longestRemembered = 512;
const remembered = new Lru<DeviceReport>(mostRemembered);
let lastId = 0;

export function readReport(headers: IncomingHttpHeaders): DeviceReport {
  const said = (name: string) => headers[`x-esp8266-${name}`] ?? '';
  // A line end is in no header.
  const text = `${said('mode')}\n${said('sketch-md5')}\n${said('version')}\n${said('free-space')}\n${said('sketch-size')}\n${said('chip-size')}\n${said('sdk-version')}`;
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const report = { ...reportIn(headers), id: ++lastId };
  if (text.length <= longestRemembered) remembered.set(text, report);
  return report;
}

function reportIn(headers: IncomingHttpHeaders): Omit<DeviceReport, 'id'> {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') texts.set(name, value);
  const request = factsOfRequest(texts);
  const md5 = request?.sketchMd5;
  const version = request?.version;
  return {
    sketchMd5: md5 !== undefined && /^[0-9a-f]{32}$/.test(md5) ? md5 : undefined,
    version: version === undefined || version === '' ? undefined : version.slice(0, longestText),
    sdkVersion: texts.get('x-esp8266-sdk-version')?.slice(0, longestText),
    freeSpaceBytes: sizeIn(texts.get('x-esp8266-free-space')),
    facts: request?.facts ?? { transport: 'http' },
  };
}

/** What of a report is kept. */
export function storedReport({ sketchMd5, version, sdkVersion, freeSpaceBytes, facts }: DeviceReport): StoredReport {
  const { chipSizeBytes, sketchSizeBytes } = facts;
  return { sketchMd5, version, sdkVersion, freeSpaceBytes, chipSizeBytes, sketchSizeBytes };
}

function sizeIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
