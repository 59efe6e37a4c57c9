import type { IncomingHttpHeaders } from 'node:http';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import { readRejection } from '../../../core/model/guard-rejection.ts';
import { factsOfRequest, headerText } from '../../../core/preflight/request-facts.ts';
import type { StoredReport } from '../../storage/records.ts';

/** Value of the x-ESP8266-mode header: what the device requests. `spiffs` means a filesystem of any type. */
export type Mode = 'sketch' | 'spiffs' | 'version';

/** Data that a device reports in one request, without its MAC (`ESP8266HTTPUpdate::handleUpdate`). */
export interface DeviceReport {
  /** `ESP.getSketchMD5()` of the running sketch. */
  readonly sketchMd5: string | undefined;
  /** Version that the sketch passes to the updater. */
  readonly version: string | undefined;
  readonly sdkVersion: string | undefined;
  readonly freeSpaceBytes: number | undefined;
  /** Code of the rejection of the last update by the guard of the device (`?rejection=N`). */
  readonly rejection: number | undefined;
  /** Reported sizes, and the facts derived from these sizes. */
  readonly facts: DeviceFacts;
}

/** Maximum length of a stored string, in characters, so that requests with long strings cannot fill the store. */
const longestText = 128;
const macRule = /^[0-9A-F]{2}(:[0-9A-F]{2}){5}$/;

/** Returns the MAC in upper case, or undefined if it is malformed. */
export function readMac(text: string | undefined): string | undefined {
  const mac = text?.toUpperCase();
  return mac !== undefined && macRule.test(mac) ? mac : undefined;
}

/** Returns the mode of a request. Core 2.0.0 does not send a mode, and requests sketches. */
export function readMode(text: string | readonly string[] | undefined): Mode | undefined {
  if (text === undefined) return 'sketch';
  return text === 'sketch' || text === 'spiffs' || text === 'version' ? text : undefined;
}

/** Reads the report in a request. @param url path and query of the request; undefined for a report that was stored */
export function readReport(headers: IncomingHttpHeaders, url = ''): DeviceReport {
  const { sketchMd5, version, freeSpaceBytes, facts } = factsOfRequest(headers);
  return {
    sketchMd5: sketchMd5 !== undefined && /^[0-9a-f]{32}$/.test(sketchMd5) ? sketchMd5 : undefined,
    version: version === undefined || version === '' ? undefined : version.slice(0, longestText),
    sdkVersion: headerText(headers, 'x-esp8266-sdk-version')?.slice(0, longestText),
    freeSpaceBytes,
    rejection: readRejection(url),
    facts,
  };
}

/** Returns the stored part of a report. */
export function storedReport({ sketchMd5, version, sdkVersion, freeSpaceBytes, facts }: DeviceReport): StoredReport {
  const { chipSizeBytes, sketchSizeBytes } = facts;
  return { sketchMd5, version, sdkVersion, freeSpaceBytes, chipSizeBytes, sketchSizeBytes };
}
