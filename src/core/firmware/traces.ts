/** Evidence from the strings in a sketch: how it was built and how it can be updated. */
export interface Traces {
  /** Versions of Espressif's SDK, such as `2.2.2-dev(38a443e)`; one of them is the result of `ESP.getSdkVersion()`. */
  readonly sdkVersions: readonly string[];
  /** Whether the Updater is linked in; without it, the sketch cannot install updates over the air. */
  readonly updater: boolean;
  readonly arduinoOta: boolean;
  readonly httpUpdate: boolean;
  readonly webUpdater: boolean;
}

// Each marker is a string that the library always contains, stable across its releases.
const markers = {
  // UpdaterClass::getErrorString (printError before 3.1.0); in the image since 2.4.2.
  updater: ['Not Enough Space'],
  // The challenge of ArduinoOTAClass::_onRx (ArduinoOTA.cpp).
  arduinoOta: ['AUTH %s'],
  // The user agent of ESP8266HTTPUpdate::handleUpdate (ESP8266httpUpdate.cpp).
  httpUpdate: ['ESP8266-http-Update'],
  // successResponse in ESP8266HTTPUpdateServer-impl.h.
  webUpdater: ['Update Success! Rebooting...'],
} as const;

const mostSdkVersions = 8;
const sdkVersion = /\b\d\.\d\.\d(?:-dev)?\([0-9a-f]{7,8}\)/g;

/** Searches the content of a sketch for strings from known libraries. A missing trace does not prove that a library is missing. */
export function findTraces(content: Uint8Array): Traces {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.length);
  const has = (texts: readonly string[]) => texts.some((text) => buffer.includes(text, 0, 'latin1'));
  return {
    sdkVersions: findSdkVersions(buffer),
    updater: has(markers.updater),
    arduinoOta: has(markers.arduinoOta),
    httpUpdate: has(markers.httpUpdate),
    webUpdater: has(markers.webUpdater),
  };
}

function findSdkVersions(buffer: Buffer): readonly string[] {
  const found = new Set<string>();
  for (const [version] of buffer.toString('latin1').matchAll(sdkVersion)) {
    found.add(version);
    if (found.size === mostSdkVersions) break;
  }
  return [...found];
}
