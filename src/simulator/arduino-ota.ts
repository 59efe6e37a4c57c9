import { createHash, timingSafeEqual } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import type { DeviceContext } from './device-context.ts';
import { readAuthResponse, readInvitation } from './invitation.ts';
import type { UdpPort } from './udp-port.ts';
import { acceptUpload, type Upload } from './upload-session.ts';

/** States of `ota_state_t` (ArduinoOTA.h), with the data for each state. */
type State =
  | { readonly name: 'idle' }
  | { readonly name: 'wait-auth'; readonly upload: Upload; readonly nonce: string }
  | { readonly name: 'run-update' };

/**
 * UDP side of ArduinoOTA.cpp: invitations, authentication, responses. `acceptUpload` runs the upload itself. Only one upload runs at a
 * time. Datagrams that arrive during an upload are dropped.
 */
export class ArduinoOta {
  readonly #device: DeviceContext;
  readonly #port: UdpPort;
  readonly #passwordHash: string | undefined;
  #state: State = { name: 'idle' };

  constructor(device: DeviceContext, port: UdpPort, password: string | undefined) {
    this.#device = device;
    this.#port = port;
    this.#passwordHash = password === undefined || password === '' ? undefined : md5(password);
  }

  /** Clears all state, as a restart does on a real device. */
  reset(): void {
    this.#state = { name: 'idle' };
  }

  /** Handles a datagram like `ArduinoOTAClass::_onRx`. */
  receive(datagram: Uint8Array, from: RemoteInfo): void {
    const state = this.#state;
    if (state.name === 'idle') this.#invite(datagram, from);
    else if (state.name === 'wait-auth') this.#authenticate(datagram, state.upload, state.nonce);
  }

  #invite(datagram: Uint8Array, from: RemoteInfo): void {
    const invitation = readInvitation(datagram);
    if (invitation === undefined) return;
    const { faults } = this.#device;
    const upload: Upload = { ...invitation, hostAddress: from.address, udpPort: from.port, faults };
    if (faults.noResponse === true || faults.invitationResponse !== undefined) {
      this.#device.countUpload();
      if (faults.noResponse !== true) this.#respond(upload, faults.invitationResponse ?? '');
    } else if (this.#passwordHash === undefined) {
      this.#run(upload);
    } else {
      const nonce = md5(String(this.#device.random()));
      this.#state = { name: 'wait-auth', upload, nonce };
      this.#respond(upload, `AUTH ${nonce}`);
    }
  }

  /** Handles the response to `AUTH`. Any other datagram cancels the upload without a response, even a repeated invitation. */
  #authenticate(datagram: Uint8Array, upload: Upload, nonce: string): void {
    this.reset();
    const respond = readAuthResponse(datagram);
    if (respond === undefined) return;
    const expected = md5(`${this.#passwordHash}:${nonce}:${respond.cnonce}`);
    if (isEqual(expected, respond.response)) {
      this.#run(upload);
      return;
    }
    this.#device.reportUpdate('espota', 'Authentication Failed');
    this.#respond(upload, 'Authentication Failed');
  }

  #run(upload: Upload): void {
    this.#state = { name: 'run-update' };
    this.#device.countUpload();
    void this.#device.inLoop(async () => {
      await acceptUpload(this.#device, upload, (text) => this.#respond(upload, text));
      this.reset();
    });
  }

  #respond({ hostAddress, udpPort }: Upload, text: string): void {
    this.#port.send(text, udpPort, hostAddress);
  }
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function isEqual(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
