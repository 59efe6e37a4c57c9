import type { CoreCapabilities } from './cores.ts';

/** Error reported by a device, with the code and the text of the device's core. */
export interface DeviceError {
  /** Error code: positive for `UPDATE_ERROR_…` (Updater.h), negative for `HTTP_UE_…` (ESP8266httpUpdate.h). */
  readonly code: number;
  /** Error text without the code or a line break. */
  readonly text: string;
  /** Error text as printed by the device: `ERROR[4]: Not Enough Space`. HTTP client errors are printed without a code. */
  readonly printed: string;
}

/** Error codes `UPDATE_ERROR_…` in Updater.h. */
export const updaterErrors = {
  none: 0,
  write: 1,
  erase: 2,
  space: 4,
  size: 5,
  md5: 7,
  flashConfig: 8,
  newFlashConfig: 9,
  magicByte: 10,
  signature: 12,
  noData: 13,
} as const;

/** Error codes `HTTP_UE_…` in ESP8266httpUpdate.h. */
export const httpErrors = {
  tooLittleSpace: -100,
  noSize: -101,
  faultyMd5: -105,
  headerInvalid: -106,
  wrongFlashSize: -107,
} as const;

/** Values for placeholders in error texts. */
export interface ErrorDetails {
  readonly expectedMd5: string;
  readonly calculatedMd5: string;
  readonly chipSizeBytes: number;
  readonly headerSizeBytes: number;
}

type Details = Partial<ErrorDetails>;
type Texts = CoreCapabilities['errorTexts'];

/** Returns the error text that a core with these `texts` prints in `UpdaterClass::printError`, without the line break. */
export function updaterError(name: keyof typeof updaterErrors, texts: Texts, details: Details = {}): DeviceError {
  const code = updaterErrors[name];
  const text = updaterText(name, texts, details);
  return { code, text, printed: `ERROR[${code}]: ${text}` };
}

/** Returns the error text of `ESP8266HTTPUpdate::getLastErrorString`. */
export function httpError(name: keyof typeof httpErrors): DeviceError {
  const text = httpTexts[name];
  return { code: httpErrors[name], text, printed: text };
}

function updaterText(name: keyof typeof updaterErrors, texts: Texts, details: Details): string {
  const { expectedMd5 = '', calculatedMd5 = '', chipSizeBytes = 0, headerSizeBytes = 0 } = details;
  const isNew = texts === '3.1';
  switch (name) {
    case 'md5':
      if (texts === '2.4') return 'MD5 Check Failed';
      return isNew
        ? `MD5 verification failed: expected: ${expectedMd5}, calculated: ${calculatedMd5}`
        : `MD5 Failed: expected:${expectedMd5}, calculated:${calculatedMd5}`;
    case 'flashConfig':
      return isNew
        ? `Flash config wrong: real: ${chipSizeBytes}, SDK: ${headerSizeBytes}`
        : `Flash config wrong real: ${chipSizeBytes} IDE: ${headerSizeBytes}`;
    case 'newFlashConfig':
      return isNew
        ? `new Flash config wrong, real size: ${chipSizeBytes}`
        : `new Flash config wrong real: ${chipSizeBytes}`;
    case 'magicByte':
      return isNew ? 'Magic byte is not 0xE9' : 'Magic byte is wrong, not 0xE9';
    default:
      return plainTexts[name];
  }
}

const plainTexts = {
  none: 'No Error',
  write: 'Flash Write Failed',
  erase: 'Flash Erase Failed',
  space: 'Not Enough Space',
  size: 'Bad Size Given',
  signature: 'Signature verification failed',
  noData: 'No data supplied',
} as const;

const httpTexts = {
  tooLittleSpace: 'Not Enough space',
  noSize: 'Server Did Not Report Size',
  faultyMd5: 'Wrong MD5',
  headerInvalid: 'Verify Bin Header Failed',
  wrongFlashSize: 'New Binary Does Not Fit Flash Size',
} as const;
