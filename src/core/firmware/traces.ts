/** What the strings in a sketch tell of how it was built and how it can be updated. */
export interface Traces {
  /** Versions of Espressif's SDK, such as `2.2.2-dev(38a443e)`: what `ESP.getSdkVersion()` will say is one of them. */
  readonly sdkVersions: readonly string[];
  /** The Updater is linked: without it the sketch takes no further update over the air. */
  readonly updater: boolean;
  readonly arduinoOta: boolean;
  readonly httpUpdate: boolean;
  readonly webUpdater: boolean;
}

// Each is a string that the library cannot do without, stable over its releases.
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

/** Looks for strings in the content of a sketch. No trace of a library is no proof that it is not there. */
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
