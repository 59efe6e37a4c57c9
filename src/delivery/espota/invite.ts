import type { Socket } from 'node:net';
import { deviceText, errorCode } from '../device-text.ts';
import type { ProgressReport } from '../progress.ts';
import type { DeliveryTimings } from '../timings.ts';
import type { DeliveryVerdict } from '../verdict.ts';
import { authenticate } from './authentication.ts';
import { authenticationDatagram, type DeviceResponse } from './datagrams.ts';
import { usesEspHome } from './esphome.ts';
import type { HostEvent, HostSockets } from './host-sockets.ts';

export interface InviteRequest {
  readonly sockets: HostSockets;
  readonly deviceAddress: string;
  readonly devicePort: number;
  /** Datagram that invites the device. */
  readonly invitation: string;
  readonly password: string | undefined;
  readonly timings: DeliveryTimings;
  /** Time limit for the whole invitation, regardless of responses. */
  readonly limitMs: number;
  readonly progress: ProgressReport;
  readonly signal: AbortSignal;
}

/**
 * Result of an invitation: the device's connection, a verdict, or a network fault. The verdict of a network fault is used if no later
 * attempt has a better result.
 */
export type InviteResult =
  | { readonly outcome: 'connected'; readonly connection: Socket }
  | { readonly outcome: 'verdict' | 'fault'; readonly verdict: DeliveryVerdict };

/** Number of unanswered invitations after which the device is probed for a different protocol. */
const silencesBeforeProbe = 3;
const mostIntervalGrowth = 4;
const failuresThatProve = 4;

/**
 * Invites a device over UDP to connect, responds to its challenge, and waits for its connection (`ArduinoOTAClass::_onRx` and
 * `_runUpdate`). A connection is accepted even without a preceding `OK`, because the `OK` may have been lost.
 */
export async function invite(request: InviteRequest): Promise<InviteResult> {
  const probe = new AbortController();
  try {
    return await new InvitationSession(request, probe.signal).run();
  } finally {
    probe.abort();
  }
}

class InvitationSession {
  readonly #request: InviteRequest;
  readonly #probeSignal: AbortSignal;
  readonly #startedAt = performance.now();
  #intervalMs: number;
  #silences = 0;
  /** Number of invitations sent since the last pause in which all pending datagrams were delivered or lost. */
  #invitations = 0;
  #challenged = false;
  #failures = 0;

  constructor(request: InviteRequest, probeSignal: AbortSignal) {
    this.#request = request;
    this.#probeSignal = probeSignal;
    this.#intervalMs = request.timings.invitationIntervalMs;
  }

  /** Repeats the invitation until there is a result or the time limit is reached. */
  async run(): Promise<InviteResult> {
    const { sockets, invitation, timings, progress } = this.#request;
    progress.phase('inviting');
    while (this.#leftMs > 0 && (this.#challenged || this.#elapsedMs < timings.invitationMs)) {
      sockets.send(invitation);
      this.#invitations++;
      const event = await this.#next(this.#intervalMs);
      const result = event === undefined ? this.#noteSilence() : await this.#handle(event);
      if (result !== undefined) return result;
    }
    return { outcome: 'fault', verdict: { kind: 'unreachable', reason: this.#whySilent() } };
  }

  #noteSilence(): undefined {
    this.#silences++;
    if (this.#silences === silencesBeforeProbe) this.#probe();
  }

  /**
   * Handles a response or a connection.
   *
   * @returns undefined if a new invitation is necessary
   */
  async #handle(event: HostEvent): Promise<InviteResult | undefined> {
    if (event.from === 'tcp') return { outcome: 'connected', connection: event.connection };
    if (event.from === 'probe') return verdict({ kind: 'wrongProtocol', which: 'esphome' });
    if (event.from === 'flood') {
      return verdict({ kind: 'unknown', reason: 'the device sends too many datagrams', mayHaveUpdated: false });
    }
    const { response } = event;
    switch (response.kind) {
      case 'ok':
        return this.#awaitCallBack();
      case 'challenge':
        return this.#authenticate(response.nonce);
      case 'authenticationFailed':
        // The failure belongs to a response that was sent before this invitation.
        return undefined;
      default:
        return this.#refusal(response);
    }
  }

  #refusal(response: DeviceResponse & { kind: 'error' | 'foreign' }): InviteResult {
    const text = this.#clean(response.text);
    if (response.kind === 'foreign') return verdict({ kind: 'wrongProtocol', which: response.which, received: text });
    return verdict({ kind: 'rejected', by: 'updater', reason: text, code: errorCode(response.text) });
  }

  /** Sends the response to a challenge repeatedly. A new invitation would cancel the authentication without a message. */
  async #authenticate(firstNonce: string): Promise<InviteResult | undefined> {
    const { sockets, password, timings, progress } = this.#request;
    if (password === undefined || password === '') {
      return verdict({ kind: 'rejected', by: 'password', reason: 'the device requires a password, but none was set' });
    }
    progress.phase('authenticating');
    this.#challenged = true;
    let nonce = firstNonce;
    let datagram = responseTo(nonce, password);
    sockets.send(datagram);
    const until = this.#elapsedMs + timings.authenticationMs;
    while (this.#elapsedMs < until && this.#leftMs > 0) {
      const event = await this.#next(timings.invitationIntervalMs);
      const response = event?.from === 'udp' ? event.response : undefined;
      if (response?.kind === 'authenticationFailed') return this.#noteFailure();
      if (event !== undefined && response?.kind !== 'challenge') return this.#handle(event);
      if (response?.kind === 'challenge' && response.nonce !== nonce) {
        nonce = response.nonce;
        datagram = responseTo(nonce, password);
      } else if (event !== undefined) {
        continue;
      }
      sockets.send(datagram);
    }
    this.#slowDown();
    return undefined;
  }

  /**
   * Handles a failed authentication. The device sends a challenge only for every second invitation, and a response to an outdated
   * challenge fails like an incorrect password. A failure therefore proves an incorrect password only after a single invitation, or if it
   * happens repeatedly. In all other cases, pending datagrams are awaited and discarded before the next invitation.
   */
  async #noteFailure(): Promise<InviteResult | undefined> {
    this.#failures++;
    if (this.#invitations === 1 || this.#failures === failuresThatProve) {
      return verdict({ kind: 'rejected', by: 'password', reason: 'Authentication Failed (wrong password)' });
    }
    this.#slowDown();
    const until = this.#elapsedMs + this.#intervalMs;
    while (this.#elapsedMs < until && this.#leftMs > 0) {
      const event = await this.#next(until - this.#elapsedMs);
      if (event?.from === 'tcp' || event?.from === 'flood') return this.#handle(event);
    }
    this.#invitations = 0;
    return undefined;
  }

  /**
   * Increases the interval between invitations. If invitations are faster than responses, each invitation cancels the challenge of the
   * previous invitation.
   */
  #slowDown(): void {
    const { invitationIntervalMs } = this.#request.timings;
    this.#intervalMs = Math.min(this.#intervalMs * 2, invitationIntervalMs * mostIntervalGrowth);
  }

  async #awaitCallBack(): Promise<InviteResult | undefined> {
    const { sockets, timings, progress } = this.#request;
    progress.phase('awaitingCallBack');
    const until = this.#elapsedMs + timings.callBackMs;
    while (this.#elapsedMs < until && this.#leftMs > 0) {
      const event = await this.#next(until - this.#elapsedMs);
      if (event?.from === 'tcp' || event?.from === 'flood') return this.#handle(event);
      if (event?.from === 'udp' && event.response.kind === 'error') return this.#refusal(event.response);
    }
    const { address, port } = sockets.place;
    const { rejectedAddresses } = sockets;
    return { outcome: 'fault', verdict: { kind: 'blockedCallback', hostAddress: address, port, rejectedAddresses } };
  }

  #next(limitMs: number): Promise<HostEvent | undefined> {
    const { sockets, signal } = this.#request;
    return sockets.events.next(Math.min(limitMs, this.#leftMs), signal);
  }

  #probe(): void {
    const { deviceAddress, devicePort, sockets } = this.#request;
    usesEspHome(deviceAddress, devicePort, this.#probeSignal).then(
      (isEspHome) => isEspHome && sockets.events.put({ from: 'probe' }),
      () => undefined,
    );
  }

  #whySilent(): string {
    const { sockets, devicePort, deviceAddress } = this.#request;
    if (this.#challenged) return 'the device requested the password and then stopped responding';
    const seconds = Math.round(this.#elapsedMs / 1000);
    const reason = sendErrors[sockets.sendError ?? ''];
    const because = reason === undefined ? '' : ` (${reason})`;
    return `no response from ${deviceAddress}, UDP port ${devicePort}, within ${seconds} s${because}`;
  }

  #clean(text: string): string {
    const { password } = this.#request;
    return deviceText(text, password === undefined ? [] : [password]);
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  get #leftMs(): number {
    return this.#request.limitMs - this.#elapsedMs;
  }
}

const sendErrors: Record<string, string> = {
  ECONNREFUSED: 'the port is closed: the host does not run ArduinoOTA, or is still starting',
  EHOSTUNREACH: 'no host has this address',
  ENETUNREACH: 'this machine has no route to that network',
  EPERM: 'blocked by a firewall on this machine',
  EACCES: 'blocked by a firewall on this machine',
};

function responseTo(nonce: string, password: string): string {
  const { cnonce, response } = authenticate(nonce, password);
  return authenticationDatagram(cnonce, response);
}

function verdict(value: DeliveryVerdict): InviteResult {
  return { outcome: 'verdict', verdict: value };
}
