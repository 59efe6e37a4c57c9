/** Evidence from the strings in a sketch about how the sketch was built and how it can be updated. */
export interface Traces {
  /** Versions of Espressif's SDK found in the sketch, such as `2.2.2-dev(38a443e)`. One of them is the result of `ESP.getSdkVersion()`. */
  readonly sdkVersions: readonly string[];
  /** True if the sketch contains the Updater. A sketch without the Updater cannot install updates over the air. */
  readonly updater: boolean;
  readonly arduinoOta: boolean;
  readonly httpUpdate: boolean;
  readonly webUpdater: boolean;
  /** True if the sketch determines its flash layout from the size of the chip when it starts (FLASH_MAP_SUPPORT); otherwise absent. */
  readonly flashMap?: true | undefined;
}

// Strings that the libraries contain in every release.
const markers = {
  // String from UpdaterClass::getErrorString (printError before 3.1.0), present since core 2.4.2.
  updater: ['Not Enough Space'],
  // String from the challenge of ArduinoOTAClass::_onRx (ArduinoOTA.cpp).
  arduinoOta: ['AUTH %s'],
  // User agent of ESP8266HTTPUpdate::handleUpdate (ESP8266httpUpdate.cpp).
  httpUpdate: ['ESP8266-http-Update'],
  // String successResponse in ESP8266HTTPUpdateServer-impl.h.
  webUpdater: ['Update Success! Rebooting...'],
  // Message of flashinit (FLASH_MAP_SETUP_CONFIG in flash_hal.h), which every sketch built with eagle.flash.auto.ld calls.
  flashMap: [' flashinit: configuration not found'],
} as const;

const mostSdkVersions = 8;
const sdkVersion = /\b\d\.\d\.\d(?:-dev)?\([0-9a-f]{7,8}\)/g;

/** Searches a sketch for strings from common libraries. A missing string does not prove that the library is missing. */
export function findTraces(content: Uint8Array): Traces {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.length);
  const has = (texts: readonly string[]) => texts.some((text) => buffer.includes(text, 0, 'latin1'));
  return {
    sdkVersions: findSdkVersions(buffer),
    updater: has(markers.updater),
    arduinoOta: has(markers.arduinoOta),
    httpUpdate: has(markers.httpUpdate),
    webUpdater: has(markers.webUpdater),
    ...(has(markers.flashMap) && { flashMap: true }),
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
