/** How one delivery to one device ended. */
export type Verdict =
  /** The device said so itself: it has checked the update and will restart into it. */
  | { readonly kind: 'accepted' }
  /** The device said no. Trying again would not change its mind. */
  | {
      readonly kind: 'rejected';
      /** Its Updater, or the check of the password before it. */
      readonly by: 'updater' | 'password';
      /** In the device's own words, fit for a terminal. */
      readonly reason: string;
      /** The number of `ERROR[n]` (`UPDATE_ERROR_…` in Updater.h). */
      readonly code?: number | undefined;
    }
  /** Nothing was heard of the device. */
  | { readonly kind: 'unreachable'; readonly why: string }
  /** It answered over UDP, but its TCP connection to this machine never came. */
  | {
      readonly kind: 'blockedCallback';
      /** Where this machine waited for it. */
      readonly hostAddress: string;
      readonly port: number;
      /** Addresses of others that connected instead, and were turned away. */
      readonly strangers: readonly string[];
    }
  /** Something answers there, but not in the protocol that was spoken to it. */
  | { readonly kind: 'wrongProtocol'; readonly which: ForeignProtocol; readonly heard?: string | undefined }
  /** The connection ended without a verdict. */
  | {
      readonly kind: 'unknown';
      readonly why: string;
      /** Whether the device may have all of the image, and so may restart into it. False: it goes on with what it runs. */
      readonly mayHaveUpdated: boolean;
    };

/**
 * - esphome: ESPHome's own protocol, which uses the same ports;
 * - esp32: the password scheme of ESP32 cores from 3.3.1 on;
 * - noWebUpdater: a web server without an updater at that path;
 * - noFilesystemForm: a web updater that takes sketches only;
 * - unrecognized: none of these.
 */
export type ForeignProtocol = 'esphome' | 'esp32' | 'noWebUpdater' | 'noFilesystemForm' | 'unrecognized';

/** A verdict for people: one line, and what to do about it where something can be done. */
export interface VerdictWords {
  readonly words: string;
  readonly hint?: string | undefined;
}

/** 0 for an accepted update only; everything else is a failed upload. */
export function exitCodeOf(verdict: Verdict): 0 | 1 {
  return verdict.kind === 'accepted' ? 0 : 1;
}

/** Says a verdict in words. */
export function wordsOf(verdict: Verdict): VerdictWords {
  switch (verdict.kind) {
    case 'accepted':
      return { words: 'accepted; the device restarts' };
    case 'rejected':
      return verdict.by === 'password'
        ? { words: `rejected: ${verdict.reason}`, hint: 'Check the password of this device (--password-env NAME).' }
        : { words: `rejected: ${verdict.reason}`, hint: updaterHints.get(verdict.code ?? -1) };
    case 'unreachable':
      return {
        words: `unreachable: ${verdict.why}`,
        hint: 'Check the address and that the device is on this network. One that is busy with another upload stays silent too.',
      };
    case 'blockedCallback':
      return wordsOfBlockedCallback(verdict);
    case 'wrongProtocol':
      return foreignWords[verdict.which](verdict.heard);
    case 'unknown':
      return {
        words: `unknown: ${verdict.why}`,
        hint: verdict.mayHaveUpdated
          ? 'The device may have taken the update nevertheless. See what it runs once it has restarted.'
          : 'The device goes on with what it ran before. Bring it closer to the access point, or try again.',
      };
  }
}

function wordsOfBlockedCallback({ hostAddress, port, strangers }: Verdict & { kind: 'blockedCallback' }): VerdictWords {
  const others = strangers.length === 0 ? '' : ` (${strangers.join(', ')} did, and was turned away)`;
  return {
    words: `blocked call-back: the device answered over UDP, but did not connect to TCP port ${port} of ${hostAddress}${others}`,
    hint: `A firewall, most often: let TCP port ${port} in on this machine (--host-port N keeps the port the same), or choose the address that the device can reach with --host-ip.`,
  };
}

const foreignWords: Record<ForeignProtocol, (heard: string | undefined) => VerdictWords> = {
  esphome: () => ({
    words: "wrong protocol: this is an ESPHome device, whose updates use the same port for ESPHome's own protocol",
    hint: 'Update it with ESPHome (esphome upload).',
  }),
  esp32: () => ({
    words: 'wrong protocol: this is an ESP32 (its challenge has 64 digits), not an ESP8266',
    hint: 'This tool makes and sends firmware for the ESP8266 only; check the address.',
  }),
  noWebUpdater: (heard) => ({
    words: `wrong protocol: no web updater answers there${heardSuffix(heard)}`,
    hint: 'Check the port and the path that the sketch gave to ESP8266HTTPUpdateServer::setup (/update by default).',
  }),
  noFilesystemForm: () => ({
    words: 'wrong protocol: this web updater takes sketches only, and would flash the filesystem over the sketch',
    hint: 'Send the filesystem with espota, or give the device a sketch of core 2.7.0 or later first.',
  }),
  unrecognized: (heard) => ({
    words: `wrong protocol: the device answers in none that is known here${heardSuffix(heard)}`,
    hint: 'Check the address and the port.',
  }),
};

function heardSuffix(heard: string | undefined): string {
  return heard === undefined || heard === '' ? '' : ` ("${heard}")`;
}

/** By the number of `ERROR[n]`: `UPDATE_ERROR_…` in Updater.h. */
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
