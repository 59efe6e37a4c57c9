import { coreCapabilities } from '../core/device-model/cores.ts';

/** Result of one delivery to one device. */
export type DeliveryVerdict =
  /** The device verified the update and will restart into it. */
  | { readonly kind: 'accepted' }
  /** The device rejected the update. A retry would not help. */
  | {
      readonly kind: 'rejected';
      /** Source of the rejection: the device's Updater, or the password check before it. */
      readonly by: 'updater' | 'password';
      /** Error message from the device, safe for a terminal. */
      readonly reason: string;
      /** Error number in `ERROR[n]` (`UPDATE_ERROR_…` in Updater.h). */
      readonly code?: number | undefined;
    }
  /** No usable response from the device. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** The device responded over UDP but never connected to this machine over TCP. */
  | {
      readonly kind: 'blockedCallback';
      /** Local address that this machine listened on. */
      readonly hostAddress: string;
      readonly port: number;
      /** Addresses of other hosts that connected and were rejected. */
      readonly rejectedAddresses: readonly string[];
    }
  /** The device responds, but not in the expected protocol. */
  | { readonly kind: 'wrongProtocol'; readonly which: ForeignProtocol; readonly received?: string | undefined }
  /** The result is unknown, for example because the connection ended before the device reported one. */
  | {
      readonly kind: 'unknown';
      readonly reason: string;
      /** True if the device may have received the whole image and may restart into it. False: it keeps its current firmware. */
      readonly mayHaveUpdated: boolean;
    };

/**
 * Protocol of a device that does not use the expected protocol.
 *
 * - esphome: ESPHome's own protocol, which uses the same ports;
 * - esp32: the password scheme of ESP32 cores since 3.3.1;
 * - noWebUpdater: a web server without an updater at the configured path;
 * - noFilesystemForm: a web updater that accepts only sketches;
 * - unrecognized: none of these.
 */
export type ForeignProtocol = 'esphome' | 'esp32' | 'noWebUpdater' | 'noFilesystemForm' | 'unrecognized';

/** Description of a verdict for users: one line, and a hint if a user can fix the problem. */
export interface VerdictText {
  readonly text: string;
  readonly hint?: string | undefined;
}

/** Returns 0 for an accepted update and 1 for any other verdict. */
export function exitCodeOf(verdict: DeliveryVerdict): 0 | 1 {
  return verdict.kind === 'accepted' ? 0 : 1;
}

/** Known facts about the update that was sent. An absent fact is unknown. */
export interface SentUpdate {
  readonly isSigned?: boolean | undefined;
  /** Core of the device before the update. */
  readonly core?: string | undefined;
}

/** Describes a verdict for users. */
export function describeVerdict(verdict: DeliveryVerdict, sent: SentUpdate = {}): VerdictText {
  switch (verdict.kind) {
    case 'accepted':
      return { text: 'accepted; the device restarts' };
    case 'rejected':
      return verdict.by === 'password'
        ? { text: `rejected: ${verdict.reason}`, hint: 'Check the password of this device (--password-env NAME).' }
        : { text: `rejected: ${verdict.reason}`, hint: updaterHint(verdict.code, sent) };
    case 'unreachable':
      return {
        text: `unreachable: ${verdict.reason}`,
        hint: 'Check the address, and check that the device is on this network and not busy with another upload.',
      };
    case 'blockedCallback':
      return describeBlockedCallback(verdict, sent);
    case 'wrongProtocol':
      return foreignProtocolTexts[verdict.which](verdict.received);
    case 'unknown':
      return {
        text: `unknown: ${verdict.reason}`,
        hint: verdict.mayHaveUpdated
          ? 'Check which firmware the device runs after its restart: it may have installed the update.'
          : 'Retry the upload, or move the device closer to the access point. The device keeps its current firmware.',
      };
  }
}

function updaterHint(code: number | undefined, { isSigned }: SentUpdate): string | undefined {
  if (code === signatureError && isSigned === false) return 'Send the signed artifact: the device verifies signatures.';
  return updaterHints.get(code ?? -1);
}

/** Before core 2.4.0, ArduinoOTA responds with OK before `Update.begin`, and does not report that `begin` failed. */
function describeBlockedCallback(
  { hostAddress, port, rejectedAddresses }: DeliveryVerdict & { kind: 'blockedCallback' },
  { core }: SentUpdate,
): VerdictText {
  const other =
    coreCapabilities(core)?.reportsBeginError === true
      ? ''
      : ' If the device has a core before 2.4.0, the cause may also be that the update does not fit into its free flash.';
  const others =
    rejectedAddresses.length === 0 ? '' : ` (connections from ${rejectedAddresses.join(', ')} were rejected)`;
  return {
    text: `blocked call-back: the device responded over UDP, but did not connect to TCP port ${port} of ${hostAddress}${others}`,
    hint: `Allow incoming connections to TCP port ${port} in the firewall of this machine (--host-port sets a fixed port), or set --host-ip to an address that the device can reach.${other}`,
  };
}

const foreignProtocolTexts: Record<ForeignProtocol, (received: string | undefined) => VerdictText> = {
  esphome: () => ({
    text: 'wrong protocol: this is an ESPHome device, which uses a different protocol on the same port',
    hint: 'Update it with `esphome upload`.',
  }),
  esp32: () => ({
    text: 'wrong protocol: this is an ESP32 (its challenge has 64 digits), not an ESP8266',
    hint: 'Check the address. ota-hooks supports only the ESP8266.',
  }),
  noWebUpdater: (received) => ({
    text: `wrong protocol: no web updater found${receivedSuffix(received)}`,
    hint: 'Check the port and the path, which the sketch passes to ESP8266HTTPUpdateServer::setup (default: /update).',
  }),
  noFilesystemForm: () => ({
    text: 'wrong protocol: this web updater accepts only sketches and would write the filesystem image over the sketch',
    hint: 'Send the filesystem image with espota, or first send a sketch built with core 2.7.0 or later.',
  }),
  unrecognized: (received) => ({
    text: `wrong protocol: unknown response${receivedSuffix(received)}`,
    hint: 'Check the address and the port.',
  }),
};

function receivedSuffix(received: string | undefined): string {
  return received === undefined || received === '' ? '' : ` ("${received}")`;
}

/** `UPDATE_ERROR_SIGN` in Updater.h. */
const signatureError = 12;

/** Hints by the error number in `ERROR[n]` (`UPDATE_ERROR_…` in Updater.h). */
const updaterHints: ReadonlyMap<number, string> = new Map([
  [4, 'Compress the update, or send a smaller sketch first: the update does not fit next to the running sketch.'],
  [5, 'Check the file size: the device rejects this size.'],
  [7, 'Retry the upload: the data was changed in transit.'],
  [
    8,
    'Build the sketch for the actual flash size and flash it once over serial: the running sketch was built for a larger flash chip.',
  ],
  [9, 'Build the image for the actual flash size: it was built for a larger flash chip than the device has.'],
  [10, 'Check the file: it is not a firmware image.'],
  [
    11,
    'Reset the device by hand (power or reset button), then retry: the device was not reset after it was flashed over serial.',
  ],
  [signatureError, "Sign the image with the device's key, and build it for the device's flash mode."],
  [13, 'Retry the upload: the device received no data.'],
]);
