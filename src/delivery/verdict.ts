/** Result of one delivery to one device. */
export type DeliveryVerdict =
  /** The device verified the update and will restart into it. */
  | { readonly kind: 'accepted' }
  /** The device rejected the update. A retry would not help. */
  | {
      readonly kind: 'rejected';
      /** Part of the device that rejected the update: its Updater, or the password check before it. */
      readonly by: 'updater' | 'password';
      /** Message of the device, safe for a terminal. */
      readonly reason: string;
      /** Number in `ERROR[n]` (`UPDATE_ERROR_…` in Updater.h). */
      readonly code?: number | undefined;
    }
  /** No usable response from the device. */
  | { readonly kind: 'unreachable'; readonly why: string }
  /** The device responded over UDP but never connected to this machine over TCP. */
  | {
      readonly kind: 'blockedCallback';
      /** Address where this machine listened. */
      readonly hostAddress: string;
      readonly port: number;
      /** Addresses of other hosts that connected and were rejected. */
      readonly strangers: readonly string[];
    }
  /** The device responds, but not in the expected protocol. */
  | { readonly kind: 'wrongProtocol'; readonly which: ForeignProtocol; readonly heard?: string | undefined }
  /** The result is not known, for example because the connection ended before the device reported one. */
  | {
      readonly kind: 'unknown';
      readonly why: string;
      /** Whether the device may have the whole image and so may restart into it. False: it keeps its present firmware. */
      readonly mayHaveUpdated: boolean;
    };

/**
 * Protocol found instead of the expected one.
 *
 * - esphome: ESPHome's own protocol, which uses the same ports;
 * - esp32: the password scheme of ESP32 cores since 3.3.1;
 * - noWebUpdater: a web server without an updater at that path;
 * - noFilesystemForm: a web updater that accepts sketches only;
 * - unrecognized: none of these.
 */
export type ForeignProtocol = 'esphome' | 'esp32' | 'noWebUpdater' | 'noFilesystemForm' | 'unrecognized';

/** Verdict for people: one line, and a hint where something can be done. */
export interface VerdictText {
  readonly text: string;
  readonly hint?: string | undefined;
}

/** Returns 0 for an accepted update and 1 for anything else. */
export function exitCodeOf(verdict: DeliveryVerdict): 0 | 1 {
  return verdict.kind === 'accepted' ? 0 : 1;
}

/** Describes a verdict for people. */
export function describeVerdict(verdict: DeliveryVerdict): VerdictText {
  switch (verdict.kind) {
    case 'accepted':
      return { text: 'accepted; the device restarts' };
    case 'rejected':
      return verdict.by === 'password'
        ? { text: `rejected: ${verdict.reason}`, hint: 'Check the password of this device (--password-env NAME).' }
        : { text: `rejected: ${verdict.reason}`, hint: updaterHints.get(verdict.code ?? -1) };
    case 'unreachable':
      return {
        text: `unreachable: ${verdict.why}`,
        hint: 'Check the address and that the device is on this network. One that is busy with another upload stays silent too.',
      };
    case 'blockedCallback':
      return describeBlockedCallback(verdict);
    case 'wrongProtocol':
      return foreignProtocolTexts[verdict.which](verdict.heard);
    case 'unknown':
      return {
        text: `unknown: ${verdict.why}`,
        hint: verdict.mayHaveUpdated
          ? 'The device may have taken the update nevertheless. See what it runs once it has restarted.'
          : 'The device goes on with what it ran before. Bring it closer to the access point, or try again.',
      };
  }
}

function describeBlockedCallback({
  hostAddress,
  port,
  strangers,
}: DeliveryVerdict & { kind: 'blockedCallback' }): VerdictText {
  const others = strangers.length === 0 ? '' : ` (${strangers.join(', ')} did, and was turned away)`;
  return {
    text: `blocked call-back: the device answered over UDP, but did not connect to TCP port ${port} of ${hostAddress}${others}`,
    hint: `A firewall, most often: let TCP port ${port} in on this machine (--host-port N keeps the port the same), or choose the address that the device can reach with --host-ip.`,
  };
}

const foreignProtocolTexts: Record<ForeignProtocol, (heard: string | undefined) => VerdictText> = {
  esphome: () => ({
    text: "wrong protocol: this is an ESPHome device, whose updates use the same port for ESPHome's own protocol",
    hint: 'Update it with ESPHome (esphome upload).',
  }),
  esp32: () => ({
    text: 'wrong protocol: this is an ESP32 (its challenge has 64 digits), not an ESP8266',
    hint: 'This tool makes and sends firmware for the ESP8266 only; check the address.',
  }),
  noWebUpdater: (heard) => ({
    text: `wrong protocol: no web updater answers there${heardSuffix(heard)}`,
    hint: 'Check the port and the path that the sketch gave to ESP8266HTTPUpdateServer::setup (/update by default).',
  }),
  noFilesystemForm: () => ({
    text: 'wrong protocol: this web updater takes sketches only, and would flash the filesystem over the sketch',
    hint: 'Send the filesystem with espota, or give the device a sketch of core 2.7.0 or later first.',
  }),
  unrecognized: (heard) => ({
    text: `wrong protocol: the device answers in none that is known here${heardSuffix(heard)}`,
    hint: 'Check the address and the port.',
  }),
};

function heardSuffix(heard: string | undefined): string {
  return heard === undefined || heard === '' ? '' : ` ("${heard}")`;
}

/** Hints by the number in `ERROR[n]`: `UPDATE_ERROR_…` in Updater.h. */
const updaterHints: ReadonlyMap<number, string> = new Map([
  [4, 'The update does not fit beside the running sketch. Send it compressed, or send a smaller sketch first.'],
  [5, 'The announced size is not one that the device can take.'],
  [7, 'The bytes changed on the way. Try again.'],
  [
    8,
    'The running sketch was built for a larger flash chip than the device has. Flash it once over serial, built for the real size.',
  ],
  [9, 'The image was built for a larger flash chip than the device has. Choose the right flash size and build again.'],
  [10, 'What was sent is no firmware image.'],
  [
    11,
    'The device was flashed over serial and not reset since: reset it once by hand (power or the reset button), then try again.',
  ],
  [12, 'The device wants a signature of another key, or its flash mode differs from that of the image.'],
  [13, 'Nothing arrived at the device.'],
]);
