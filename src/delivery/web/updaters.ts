import type { ImageKind } from '../../core/model/artifact.ts';
import type { WebPreset } from '../../core/model/web-preset.ts';
import type { FilePart, FormField } from './form.ts';
import type { WebResponse } from './response.ts';
import { visibleText } from './visible-text.ts';

/** Web updater of a firmware project: its paths, its form, and how its response reports the result. */
export interface UpdaterForm {
  /** Path of the upload form. */
  readonly path: string;
  /** Page that is requested before the update. Defaults to `path`. */
  readonly page?: string | undefined;
  /** Returns the part that contains the image; undefined if the updater does not support images of this kind. */
  readonly file: (kind: ImageKind) => FilePart | undefined;
  /** True if the form page shows whether filesystem images are supported. */
  readonly pageListsKinds?: boolean | undefined;
  /** Field for the MD5 of the sent bytes, and its place relative to the image. */
  readonly md5?: { readonly name: string; readonly place: 'before' | 'after' } | undefined;
  /** True if the updater rejects requests without a `Referer` header that contains the address of the device. */
  readonly needsReferer?: boolean | undefined;
  /** True if the updater reads data at a fixed offset of the uncompressed image, and therefore rejects gzip. */
  readonly isRawOnly?: boolean | undefined;
  /** Reason why the updater responds with 401 although it has no password. */
  readonly lockedReason?: string | undefined;
  readonly isAccepted: (body: string) => boolean;
  /** Returns the reason for a failure; undefined if the response does not report a failure. */
  readonly failureOf: (response: WebResponse) => string | undefined;
}

const core: UpdaterForm = {
  path: '/update',
  // ESP8266HTTPUpdateServer installs a file with any name except `filesystem` as a sketch.
  file: (kind) => (kind === 'filesystem' ? named('filesystem', 'filesystem.bin') : named('firmware', 'firmware.bin')),
  pageListsKinds: true,
  isAccepted: (body) => body.includes('Update Success! Rebooting'),
  // Core 2.1.0 to 2.3.0 respond with "Update Failed!" without a reason.
  failureOf: ({ body }) => /Update error: ([^<]*)/.exec(body)?.[1] ?? /^Update Failed!/.exec(body)?.[0],
};

/**
 * ElegantOTA 1 and 2, and AsyncElegantOTA. The asynchronous library requires the MD5 before the image and recognizes a filesystem by its
 * *file* name (`AsyncElegantOtaClass::begin`). The synchronous library contains the updater of the core.
 */
export const olderElegantOta: UpdaterForm = {
  path: '/update',
  file: (kind) => (kind === 'filesystem' ? named('filesystem', 'filesystem') : named('firmware', 'firmware')),
  md5: { name: 'MD5', place: 'before' },
  isAccepted: (body) => core.isAccepted(body) || isOk(body),
  failureOf: (response) => core.failureOf(response) ?? failureByStatus(response),
};

const updaters: Readonly<Record<WebPreset, UpdaterForm>> = {
  /** ElegantOTA 3 (`ElegantOTAClass::begin`). `elegantOtaStart` begins the update, and the form has no further fields. */
  elegantota: {
    path: '/ota/upload',
    page: '/update',
    file: () => named('file', 'firmware.bin'),
    isAccepted: isOk,
    failureOf: failureByStatus,
  },
  /**
   * `HandleUploadDone` in xdrv_01_9_webserver.ino. The texts depend on the language of the build, so only the tags around them are
   * compared: a failure is followed by its reason, a success by the block about the restart. The form page must be requested first,
   * because the server then treats the next upload as firmware.
   */
  tasmota: {
    path: '/u2',
    page: '/up',
    file: sketchOnly('u2'),
    needsReferer: true,
    isAccepted: (body) => /<\/font><\/b><br\/?><br\/?><div/.test(body),
    failureOf: ({ body }) => /<\/font><\/b><br\/?><br\/?>([^<]+)/.exec(body)?.[1],
  },
  /** `WebServerInit` in ESPEasy_WebServer.cpp sets up the updater of the core. */
  espeasy: core,
  /** ota_web.cpp and ota_basicweb.cpp. The path of the form accepts POST only, so the start page is requested. */
  espurna: {
    path: '/upgrade',
    page: '/',
    file: sketchOnly('filename'),
    isAccepted: (body) => isOk(body) || body.includes('<code>Rebooting...</code>'),
    failureOf: (response) => /ERROR[[:][^<]*/.exec(response.body)?.[0] ?? failureByStatus(response),
  },
  /**
   * wled_server.cpp and ota_update.cpp. WLED has no user name and no password for updates, but can lock updates. Since WLED 16, the
   * image must contain WLED's own description after offset 0x1000.
   */
  wled: {
    path: '/update',
    file: sketchOnly('update'),
    isRawOnly: true,
    lockedReason: 'updates are locked (unlock them in the security settings of WLED)',
    isAccepted: (body) => body.includes('Update successful!'),
    failureOf: (response) =>
      /Update failed!\s*(?:<[^<>]*>\s*)*([^<]*)/.exec(response.body)?.[1] ?? failureByStatus(response),
  },
  /** `showFirmwareSuccess` and `showFirmwareFail` in webfunctions.cpp. The field names are fixed, and the MD5 follows the image. */
  heishamon: {
    path: '/firmware',
    file: sketchOnly('firmware'),
    md5: { name: 'md5', place: 'after' },
    isAccepted: (body) => body.includes('Update success! Rebooting'),
    failureOf: ({ body }) => /Update failed! Please try again\.*\s*([^<]*)/.exec(body)?.[1],
  },
};

/** Form of a sketch's own updater, as in the example WebUpdate of ESP8266WebServer: the response is OK or FAIL. */
const ownForm: UpdaterForm = {
  ...core,
  isAccepted: (body) => core.isAccepted(body) || isOk(body),
  failureOf: (response) => core.failureOf(response) ?? /^\s*FAIL\b.*/.exec(response.body)?.[0],
};

/** Returns the updater for a preset. Without a preset, returns the core's updater or, with a field, the updater of a sketch. */
export function webUpdater(preset: WebPreset | undefined, field: string | undefined): UpdaterForm {
  const updater = preset === undefined ? (field === undefined ? core : ownForm) : updaters[preset];
  if (field === undefined) return updater;
  // The name of a filesystem part determines what is overwritten, so `field` never replaces this name.
  const file = (kind: ImageKind) => {
    const part = updater.file(kind);
    return part === undefined || kind === 'filesystem' ? part : { ...part, name: field };
  };
  return { ...updater, file };
}

/** Returns the request target that begins an update of ElegantOTA 3. Devices that do not check signatures check the MD5 in `hash`. */
export function elegantOtaStart(kind: ImageKind, md5: string): string {
  return `/ota/start?mode=${kind === 'filesystem' ? 'fs' : 'fr'}&hash=${md5}`;
}

/** Returns the fields for an MD5, before and after the image. */
export function fieldsFor({ md5: field }: UpdaterForm, md5: string): Record<'before' | 'after', readonly FormField[]> {
  const fields = field === undefined ? [] : [{ name: field.name, value: md5 }];
  return field?.place === 'after' ? { before: [], after: fields } : { before: fields, after: [] };
}

function named(name: string, fileName: string): FilePart {
  return { name, fileName };
}

function sketchOnly(name: string): UpdaterForm['file'] {
  return (kind) => (kind === 'sketch' ? named(name, 'firmware.bin') : undefined);
}

function isOk(body: string): boolean {
  return /^\s*OK\s*$/.test(body);
}

/** Reads an error that the updater reports by its status. A missing page or password is not an update failure. */
function failureByStatus({ status, body }: WebResponse): string | undefined {
  if (status < 400 || [401, 404, 405].includes(status)) return undefined;
  return visibleText(body).trim() || `HTTP status ${status}`;
}
