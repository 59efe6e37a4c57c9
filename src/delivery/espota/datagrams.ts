import type { ImageKind } from '../../core/model/artifact.ts';
import type { ForeignProtocol } from '../verdict.ts';
import { startsWithEspHomeMagic } from './esphome.ts';

/** `U_FLASH`, `U_FS` and `U_AUTH` from Updater.h and ArduinoOTA.h. */
const commands = { sketch: 0, filesystem: 100, authentication: 200 } as const;

/** What the device needs to know before it connects. */
export interface Invitation {
  readonly kind: ImageKind;
  readonly hostPort: number;
  readonly sizeBytes: number;
  readonly md5: string;
}

/** Response from a device over UDP. */
export type DeviceResponse =
  | { readonly kind: 'ok' }
  | { readonly kind: 'challenge'; readonly nonce: string }
  /** `Update.printError` output for an update that the device refuses to start. */
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'authenticationFailed' }
  | { readonly kind: 'foreign'; readonly which: ForeignProtocol; readonly text: string };

/** Builds an invitation, which ends with LF: `ArduinoOTAClass::_onRx` reads up to it and would leave anything after it in its buffer. */
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
  // ESP32 cores since 3.3.1 send SHA-256 challenges.
  if (nonce?.length === 64) return { kind: 'foreign', which: 'esp32', text };
  return { kind: 'foreign', which: 'unrecognized', text };
}
