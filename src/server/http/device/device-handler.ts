import type { IncomingMessage, ServerResponse } from 'node:http';
import { headerText } from '../../../core/preflight/request-facts.ts';
import { clientAddress } from '../../auth/client-address.ts';
import { countIn } from '../../observability/counters.ts';
import { chooseProject } from '../../services/devices/choose-project.ts';
import { type Mode, readMac, readMode, readReport } from '../../services/devices/report.ts';
import type { Alias } from '../../services/releases/catalog.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import { authorizeDevice, type ErrorResponse } from './authorize-device.ts';
import { sendArtifact } from './downloads.ts';
import { type FirmwareRequest, handleFirmwareRequest } from './firmware-request.ts';
import { namedFile } from './named-file.ts';
import type { DeviceParts } from './parts.ts';
import { sendNotModified, sendText, sendUnavailable, sendVersion } from './responses.ts';
import { type DeviceRoute, deviceRoute } from './route.ts';

const noFile: ErrorResponse = { status: 404, text: 'File not found' };
const noPath: ErrorResponse = { status: 404, text: 'Path not found' };
const noMac: ErrorResponse = { status: 403, text: 'Only for ESP8266 updaters: x-ESP8266-STA-MAC is not a MAC' };

/**
 * Request handler for devices. It uses the Node.js HTTP server directly, because an empty route in the framework would cost more than all
 * the work done here. The API handles all other requests.
 */
export class DeviceHandler {
  readonly #parts: DeviceParts;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
  }

  /**
   * Handles a device request.
   *
   * @returns false if the path is not a device path
   */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const { catalog } = this.#parts;
    const route = deviceRoute(request.url ?? '', (path) => catalog.aliases(path).length > 0);
    if (route === undefined) return false;
    const refusal = this.#pass(request, response, route);
    if (refusal !== undefined) this.#no(request, response, refusal);
    return true;
  }

  /**
   * Passes a request to the handler for its route.
   *
   * @returns the error response to send if the request is rejected immediately
   */
  #pass(request: IncomingMessage, response: ServerResponse, route: DeviceRoute): ErrorResponse | undefined {
    if (request.method !== 'GET') return { status: 405, text: 'Only GET is allowed', headers: { Allow: 'GET' } };
    switch (route.to) {
      case 'nowhere':
        return noPath;
      case 'file':
        this.#guard(request, response, () => this.#file(request, response, route));
        return undefined;
      case 'alias':
        this.#guard(request, response, () => this.#alias(request, response, route.path));
        return undefined;
      case 'update': {
        const mac = macOf(request);
        return mac === undefined ? noMac : this.#update(request, response, route, mac);
      }
    }
  }

  /**
   * Handles an update check. Only the MAC is required: older cores and other clients send fewer headers, and the planner treats missing
   * values as unknown.
   */
  #update(
    request: IncomingMessage,
    response: ServerResponse,
    { project, channel }: Alias,
    mac: string,
  ): ErrorResponse | undefined {
    const { headers } = request;
    const mode = readMode(headers['x-esp8266-mode']);
    if (mode === undefined) return { status: 404, text: 'x-ESP8266-mode must be sketch, spiffs or version' };
    const report = readReport(headers, request.url);
    const address = this.#addressOf(request);
    const releases: FirmwareRequest['releases'] = ({ channels }, record) => channels.get(record.channel ?? channel);
    this.#firmwareRequest({ request, response, address, project, mac, mode, channel, report, releases });
    return undefined;
  }

  /**
   * Handles an update check on an alias: finds the project of the device first, and sends nothing if there is none. The aliases are those
   * stored now: another process may just have added this alias to a second project, whose devices must not be sent the release of the first.
   */
  async #alias(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const { catalog, records, notEnrolled, counters } = this.#parts;
    await catalog.update();
    const aliases = catalog.aliases(path);
    if (aliases.length === 0) return this.#no(request, response, noPath);
    const mac = macOf(request);
    if (mac === undefined) return this.#no(request, response, noMac);
    const report = readReport(request.headers, request.url);
    const apMac = readMac(headerText(request.headers, 'x-esp8266-ap-mac'));
    const choice = await chooseProject({ catalog, records }, { aliases, mac, apMac, report });
    if (choice.kind === 'chosen') {
      notEnrolled.remove(mac);
      const refusal = this.#update(request, response, choice.alias, choice.mac);
      return refusal && this.#no(request, response, refusal);
    }
    const { version } = report;
    const projects = aliases.map(({ project }) => project);
    const address = this.#addressOf(request);
    notEnrolled.add({ mac, path, projects, knownIn: choice.knownIn, version, address, lastSeenAt: Date.now() });
    countIn(counters.decisions, 'not-enrolled');
    if (readMode(request.headers['x-esp8266-mode']) !== 'version') {
      countIn(counters.responses, 304);
      return sendNotModified(response);
    }
    if (version === undefined) return this.#no(request, response, { status: 404, text: 'Device not enrolled' });
    countIn(counters.responses, 200);
    sendVersion(response, version, undefined);
  }

  /**
   * Serves a file by name. A device receives the file only if the planner would choose the file, and 304 if it already runs the file. Other
   * clients always receive the file.
   */
  async #file(
    request: IncomingMessage,
    response: ServerResponse,
    route: { project: string; from: string; file: string },
  ): Promise<void> {
    const { headers } = request;
    const { catalog, store } = this.#parts;
    const { project, from, file } = route;
    const view = await catalog.latest(project);
    const found = view && (await namedFile(store.catalog, view, route));
    if (view === undefined || found === undefined) return this.#no(request, response, noFile);
    const mac = readMac(headerText(headers, 'x-esp8266-sta-mac'));
    const address = this.#addressOf(request);
    if (mac !== undefined) {
      const mode: Mode = readMode(headers['x-esp8266-mode']) ?? 'sketch';
      const report = readReport(headers, request.url);
      const channel = from.startsWith('@') ? from.slice(1) : undefined;
      const releases: FirmwareRequest['releases'] = async (current) =>
        (await namedFile(store.catalog, current, { from, file }))?.releases;
      return this.#firmwareRequest({ request, response, address, project, mac, mode, channel, report, releases });
    }
    const entry = await authorizeDevice(this.#parts, { request, view, address }, undefined);
    if ('status' in entry) return this.#no(request, response, entry);
    if (found.plain === undefined) return this.#no(request, response, noFile);
    await this.#sendPlain(request, response, found.plain);
  }

  async #sendPlain(
    request: IncomingMessage,
    response: ServerResponse,
    { manifest, version }: ReleaseRecord,
  ): Promise<void> {
    const { bytes, counters, downloads } = this.#parts;
    const [artifact] = manifest.artifacts;
    const body = artifact && (await bytes.acquire(artifact));
    if (artifact === undefined || body === undefined) return this.#no(request, response, noFile);
    if (body === 'busy') {
      countIn(counters.responses, 503);
      return sendUnavailable(response);
    }
    countIn(counters.responses, 200);
    const { stallMs } = downloads;
    const end = await sendArtifact(request, response, { artifact, version, body, stallMs });
    bytes.release(artifact);
    if (end === 'received') counters.bytesSent += body.length;
  }

  #firmwareRequest(firmwareRequest: FirmwareRequest): void {
    const { request, response } = firmwareRequest;
    this.#guard(request, response, async () => {
      const refusal = await handleFirmwareRequest(this.#parts, firmwareRequest);
      if (refusal !== undefined) this.#no(request, response, refusal);
    });
  }

  /** Responds with 503 on an internal error, so that the device keeps its firmware and checks again later. */
  #guard(request: IncomingMessage, response: ServerResponse, work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      const { counters, log, outage } = this.#parts;
      counters.failures++;
      if (!outage.note(error)) log.error({ err: error, path: request.url }, 'Device request failed');
      if (response.headersSent) return void response.destroy();
      countIn(counters.responses, 503);
      sendUnavailable(response);
    });
  }

  /**
   * Sends the error response. If the address has exceeded its limit of failures, the status is 429, and the text still contains the reason,
   * such as a wrong password: waiting would not help.
   */
  #no(request: IncomingMessage, response: ServerResponse, { status, text, headers }: ErrorResponse): void {
    const { failures, counters } = this.#parts;
    const isWithinLimit = failures.take(this.#addressOf(request));
    countIn(counters.responses, isWithinLimit ? status : 429);
    if (isWithinLimit) sendText(response, status, text, headers);
    else sendText(response, 429, `${text}; also, too many failed requests from this address`, { Connection: 'close' });
  }

  #addressOf(request: IncomingMessage): string {
    return clientAddress(request, this.#parts.isTrustedProxy);
  }
}

function macOf({ headers }: IncomingMessage): string | undefined {
  return readMac(headerText(headers, 'x-esp8266-sta-mac'));
}
