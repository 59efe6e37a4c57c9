import type { DeviceError } from '../core/device-model/device-error.ts';
import type { DeviceContext } from './device-context.ts';
import type { IncomingUpdate, InstallOutcome } from './device-firmware.ts';
import type { Faults } from './faults.ts';
import { writeTime } from './flash-time.ts';
import type { LinkedSocket } from './linked-socket.ts';
import { ReceivedBytes } from './received-bytes.ts';
import { faultyTransfer } from './transfer-fault.ts';
import type { FileSink } from './upload-form.ts';
import { contentLength, type WebRequest } from './web-request.ts';
import type { SiteResponse, WebSite } from './web-server.ts';

export interface WebLogin {
  readonly username: string;
  readonly password: string;
}

/** Upload form with the same field names as the form of the core. */
const formPage = ['firmware', 'filesystem']
  .map(
    (name) =>
      `<form method="POST" action="" enctype="multipart/form-data">${name} <input type="file" name="${name}"> <input type="submit" value="Update"></form>`,
  )
  .join('\n');

const successText = '<META http-equiv="refresh" content="15;URL=/">Update Success! Rebooting...';

/**
 * Web updater like ESP8266HTTPUpdateServer-impl.h: a form, an upload handler that passes data to the Updater, and a handler that sends
 * the result. As on a real device, the authentication state and the Updater's error are kept between requests.
 *
 * @internal
 */
export class WebUpdater implements WebSite {
  readonly #device: DeviceContext;
  readonly #path: string;
  readonly #authorization: string | undefined;
  #isAuthenticated = false;
  #error: DeviceError | undefined;
  #faults: Faults = {};

  constructor(device: DeviceContext, path: string, login: WebLogin | undefined) {
    this.#device = device;
    this.#path = path;
    // If the user name or the password is empty, no authentication is required.
    const isOpen = login === undefined || login.username === '' || login.password === '';
    this.#authorization = isOpen ? undefined : `Basic ${base64(`${login.username}:${login.password}`)}`;
  }

  /** Clears all state, as a restart does on a real device. */
  reset(): void {
    this.#isAuthenticated = false;
    this.#error = undefined;
  }

  filesOf(request: WebRequest, connection: LinkedSocket): FileSink {
    if (!this.#isUpdate(request)) return ignoredFiles;
    this.#faults = this.#device.faults;
    this.#device.countUpload();
    return this.#updateFrom(request, connection);
  }

  respond(request: WebRequest): { readonly response: SiteResponse | undefined; readonly restarts: boolean } {
    const restarts = this.#isUpdate(request) && this.#isAuthenticated && this.#error === undefined;
    return { response: this.#response(request), restarts };
  }

  #response(request: WebRequest): SiteResponse | undefined {
    if (request.path !== this.#path || !['GET', 'POST'].includes(request.method)) {
      return { status: '404 Not Found', type: 'text/plain', body: `Not found: ${request.path}` };
    }
    if (request.method === 'GET') return this.#isLoggedIn(request) ? page(formPage) : unauthorized;
    if (!this.#isAuthenticated) return unauthorized;
    const { verdict } = this.#faults;
    if (verdict !== undefined) return verdict === 'none' ? undefined : page(verdict.text);
    return page(this.#error === undefined ? successText : `Update error: ${this.#error.printed}\n`);
  }

  #isUpdate({ path, method }: WebRequest): boolean {
    return path === this.#path && method === 'POST';
  }

  #isLoggedIn({ headers }: WebRequest): boolean {
    return this.#authorization === undefined || headers.get('authorization') === this.#authorization;
  }

  /** Returns the upload handler. Without valid credentials, the handler reads the file but discards it. */
  #updateFrom(request: WebRequest, connection: LinkedSocket): FileSink {
    const device = this.#device;
    const transfer = faultyTransfer(device, connection, this.#faults.transfer, contentLength(request));
    const received = new ReceivedBytes();
    let kind: IncomingUpdate['kind'] = 'sketch';
    let count = 0;
    const install = (isWhole: boolean) =>
      device.firmware.install({ transport: 'web', kind, sizeBytes: count }, received, isWhole);
    return {
      start: async (partName) => {
        kind = partName === 'filesystem' ? 'filesystem' : 'sketch';
        this.#isAuthenticated = this.#isLoggedIn(request);
        if (this.#isAuthenticated) this.#error = device.firmware.errorOfBegin({ transport: 'web', kind, sizeBytes: 0 });
      },
      write: async (bytes) => {
        if (this.#isAuthenticated) received.add(bytes);
        await writeTime(device, count, bytes.length);
        count += bytes.length;
        return transfer.reached(count);
      },
      end: async () => {
        if (!this.#isAuthenticated) return;
        if (this.#error === undefined) this.#conclude(install(true));
        if (this.#error !== undefined) device.reportUpdate('web', this.#error.printed);
      },
      abort: async () => {
        if (!this.#isAuthenticated) return;
        if (this.#error === undefined) install(false);
        device.reportUpdate('web', `the connection was lost after ${count} bytes of the form's file`);
      },
    };
  }

  #conclude(outcome: InstallOutcome): void {
    if (outcome.outcome === 'rejected') {
      this.#error = outcome.error;
    } else if (outcome.outcome === 'accepted') {
      this.#device.reportUpdate('web');
    } else {
      this.#device.reportUpdate('web', 'crashed');
      this.#device.restart();
      this.#device.restartSignal.throwIfAborted();
    }
  }
}

const ignoredFiles: FileSink = {
  start: async () => undefined,
  write: async () => 'on',
  end: async () => undefined,
  abort: async () => undefined,
};

const unauthorized: SiteResponse = {
  status: '401 Unauthorized',
  type: 'text/html',
  headers: ['WWW-Authenticate: Basic realm="Login Required"'],
  body: '',
};

function page(body: string): SiteResponse {
  return { status: '200 OK', type: 'text/html', body };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
