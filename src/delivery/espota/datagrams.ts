import type { ImageKind } from '../../core/model/artifact.ts';
import type { ForeignProtocol } from '../verdict.ts';
import { startsWithEspHomeMagic } from './esphome.ts';

/** Command numbers `U_FLASH`, `U_FS` and `U_AUTH` from Updater.h and ArduinoOTA.h. */
const commands = { sketch: 0, filesystem: 100, authentication: 200 } as const;

/** Data in an invitation, which the device needs before it connects. */
export interface Invitation {
  readonly kind: ImageKind;
  readonly hostPort: number;
  readonly sizeBytes: number;
  readonly md5: string;
}

/** UDP response from a device. */
export type DeviceResponse =
  | { readonly kind: 'ok' }
  | { readonly kind: 'challenge'; readonly nonce: string }
  /** `Update.printError` output for an update that the device refuses to start. */
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'authenticationFailed' }
  | { readonly kind: 'foreign'; readonly which: ForeignProtocol; readonly text: string };

/** Builds an invitation. The invitation ends with LF, because `ArduinoOTAClass::_onRx` reads up to the LF. */
export function invitationDatagram({ kind, hostPort, sizeBytes, md5 }: Invitation): string {
  return `${commands[kind]} ${hostPort} ${sizeBytes} ${md5}\n`;
}

export function authenticationDatagram(cnonce: string, response: string): string {
  return `${commands.authentication} ${cnonce} ${response}\n`;
}

/** Parses a datagram sent by `ArduinoOTAClass::_onRx` or `_runUpdate`. */
export function parseDeviceResponse(datagram: Uint8Array): DeviceResponse {
  if (startsWithEspHomeMagic(datagram)) return { kind: 'foreign', which: 'esphome', text: '' };
  const text = Buffer.from(datagram).toString('latin1').trim();
  if (text === 'OK') return { kind: 'ok' };
  if (text === 'Authentication Failed') return { kind: 'authenticationFailed' };
  if (text.startsWith('ERR')) return { kind: 'error', text: text.replace(/^ERR:\s*/, '') };
  const nonce = /^AUTH ([0-9a-f]+)$/i.exec(text)?.[1];
  if (nonce?.length === 32) return { kind: 'challenge', nonce };
  // Since release 3.3.1, ESP32 cores send SHA-256 challenges.
  if (nonce?.length === 64) return { kind: 'foreign', which: 'esp32', text };
  return { kind: 'foreign', which: 'unrecognized', text };
}
