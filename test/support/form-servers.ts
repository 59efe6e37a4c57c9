import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ExecutionContext } from 'ava';
import type { WebPreset } from '../../src/core/model/web-preset.ts';

/** Part of a received form. Parts are in the order of the form. */
interface ReceivedPart {
  readonly name: string;
  readonly fileName: string | undefined;
  readonly content: Buffer;
}

interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly parts: readonly ReceivedPart[];
}

/** Server response: a status and the pieces of its body. Several pieces are sent as chunks. */
interface SentResponse {
  readonly status: number;
  readonly body: string | readonly string[];
}

/** Server that simulates firmware with a web updater. */
export interface FormServer {
  readonly host: string;
  readonly webPort: number;
  /** Images that the firmware installed. */
  readonly installed: { readonly kind: 'sketch' | 'filesystem'; readonly image: Buffer }[];
  /** Received requests, such as `GET /update`. */
  readonly requests: string[];
}

export interface FormServerOptions {
  readonly password?: string;
  /** Failure of the Updater, such as `ERROR[4]: Not Enough Space`. */
  readonly failure?: string;
  readonly isLocked?: boolean;
}

type Handler = (request: ReceivedRequest, server: FormServer, options: FormServerOptions) => SentResponse;

const notFound: SentResponse = { status: 404, body: 'Not found' };

/**
 * Servers that follow the handlers of the firmware. Each comment names the upstream source. The servers were written from these sources and
 * not from the delivery code, so that they do not repeat its errors.
 */
const handlers: Readonly<Record<WebPreset | 'elegantota2' | 'asyncelegantota' | 'espurna-basic' | 'own', Handler>> = {
  // ElegantOTA 3.1: src/ElegantOTA.cpp, ElegantOTAClass::begin.
  elegantota: ({ method, path, query, parts }, server, { failure }) => {
    if (method === 'GET' && path === '/update') return { status: 200, body: '<html></html>' };
    if (method === 'GET' && path === '/ota/start') {
      if (!/^[0-9a-f]{32}$/.test(query.get('hash') ?? '')) return { status: 400, body: 'MD5 parameter invalid' };
      started.set(server, query);
      return { status: 200, body: 'OK' };
    }
    if (method !== 'POST' || path !== '/ota/upload') return notFound;
    const file = parts.find(({ fileName }) => fileName !== undefined);
    const query2 = started.get(server);
    if (file === undefined || query2 === undefined || query2.get('hash') !== md5(file.content)) {
      return { status: 400, body: 'ERROR[7]: MD5 Failed\n' };
    }
    return install(server, query2.get('mode') === 'fs' ? 'filesystem' : 'sketch', file.content, failure, 'OK', 400);
  },
  // ElegantOTA 2.2 on the ESP8266 sets up the core's ESP8266HTTPUpdateServer.
  elegantota2: (request, server, options) => coreForm(request, server, options),
  // AsyncElegantOTA 2.2: src/AsyncElegantOTA.cpp. The MD5 must arrive before the file, and the file name determines the kind of the image.
  asyncelegantota: ({ method, path, parts }, server, { failure }) => {
    if (path !== '/update') return notFound;
    if (method === 'GET') return { status: 200, body: '<html></html>' };
    const at = parts.findIndex(({ fileName }) => fileName !== undefined);
    const file = parts[at];
    const sum = parts.slice(0, at).find(({ name }) => name === 'MD5');
    if (file === undefined || sum === undefined) return { status: 400, body: 'MD5 parameter missing' };
    if (sum.content.toString() !== md5(file.content)) return { status: 400, body: 'Could not end OTA' };
    const kind = file.fileName === 'filesystem' ? 'filesystem' : 'sketch';
    return install(server, kind, file.content, failure && 'FAIL', 'OK', 500);
  },
  // Tasmota: xdrv_01_9_webserver.ino, HandleUpgradeFirmware, HandleUploadLoop, HandleUploadDone. The texts depend on the language of the build.
  tasmota: ({ method, path, headers, parts }, server, { failure }) => {
    const isReferred = headers.referer?.startsWith(`http://${server.host}`) === true;
    if (!isReferred) return { status: 200, body: '<html>main page</html>' };
    if (method === 'GET' && path === '/up') {
      started.set(server, new URLSearchParams());
      return { status: 200, body: ["<form method='post' action='u2'>", "<input type='file' name='u2'></form>"] };
    }
    const file = parts.find(({ fileName }) => fileName !== undefined && fileName !== '');
    if (method !== 'POST' || path !== '/u2' || file === undefined || !started.has(server)) return notFound;
    const head = "<div style='text-align:center;'><b>Upload <font color='#";
    if (failure !== undefined) {
      return { status: 200, body: [head, `ff5661'>negative</fo`, `nt></b><br><br>${failure}`, '</div><br>'] };
    }
    server.installed.push({ kind: 'sketch', image: file.content });
    const restart = "<br><div style='text-align:center;'>again</div><br>";
    return { status: 200, body: [head, `008000'>positive</font></`, `b><br>${restart}`, '</div><br>'] };
  },
  // ESPEasy: ESPEasy_WebServer.cpp sets up the core's ESP8266HTTPUpdateServer.
  espeasy: (request, server, options) => coreForm(request, server, options),
  // ESPurna: ota_web.cpp. It responds to an Updater failure with status 200.
  espurna: ({ method, path, parts }, server, { failure }) => {
    if (method === 'GET' && path === '/') return { status: 200, body: '<html></html>' };
    const file = parts.find(({ fileName }) => fileName !== undefined);
    if (method !== 'POST' || path !== '/upgrade' || file === undefined) return notFound;
    return install(server, 'sketch', file.content, failure, 'OK', 200);
  },
  // ESPurna without its web interface: ota_basicweb.cpp.
  'espurna-basic': ({ method, path, parts }, server, { failure }) => {
    if (method === 'GET' && path === '/') return { status: 200, body: '<html></html>' };
    const file = parts.find(({ fileName }) => fileName !== undefined);
    if (method !== 'POST' || path !== '/upgrade' || file === undefined) return notFound;
    const page = (text: string) => `<head></head><code>${text}</code>`;
    return install(server, 'sketch', file.content, failure && page(failure), page('Rebooting...'), 500);
  },
  // WLED: wled_server.cpp, serveMessage. The page is sent in chunks.
  wled: ({ method, path, parts }, server, { failure, isLocked }) => {
    const page = (title: string, text: string) => ['<body><h2>', title, '</h2>', text, '</body>'];
    if (path !== '/update') return notFound;
    const locked = page('Access Denied', 'Please unlock OTA in security settings!');
    if (isLocked === true) return { status: 401, body: locked };
    if (method === 'GET') return { status: 200, body: '<html></html>' };
    const file = parts.find(({ fileName }) => fileName !== undefined);
    if (file === undefined) return notFound;
    if (failure !== undefined) return { status: 500, body: page('Update failed!', failure) };
    server.installed.push({ kind: 'sketch', image: file.content });
    return { status: 200, body: page('Update successful!', 'Rebooting now...') };
  },
  // HeishaMon: HeishaMon.ino, routes 140 and 150, and webfunctions.cpp. The field names are compared exactly.
  heishamon: ({ method, path, parts }, server, { failure }) => {
    if (path !== '/firmware') return { status: 200, body: 'start page' };
    if (method === 'GET') return { status: 200, body: '<html></html>' };
    const failed = (reason: string) => `\nUpdate failed! Please try again...\n${reason}`;
    const image = Buffer.concat(parts.filter(({ name }) => name === 'firmware').map(({ content }) => content));
    const sum = parts.find(({ name }) => name === 'md5')?.content.toString();
    if (sum !== undefined && sum !== '' && sum !== md5(image)) {
      return { status: 200, body: failed('ERROR[7]: MD5 Failed') };
    }
    const success = '\nUpdate success! Rebooting. This page will refresh afterwards.\n';
    return install(server, 'sketch', image, failure && failed(failure), success, 200);
  },
  // WebUpdate.ino, an example in the ESP8266WebServer library.
  own: ({ method, path, parts }, server, { failure }) => {
    if (path !== '/flash') return notFound;
    if (method === 'GET') return { status: 200, body: '<html></html>' };
    const file = parts.find(({ name }) => name === 'update');
    if (file === undefined) return { status: 200, body: 'FAIL' };
    return install(server, 'sketch', file.content, failure && 'FAIL', 'OK', 200);
  },
};

/** Query of the request that started an update. */
const started = new WeakMap<FormServer, URLSearchParams>();

/** The core's ESP8266HTTPUpdateServer-impl.h. */
function coreForm(
  { method, path, parts }: ReceivedRequest,
  server: FormServer,
  { failure }: FormServerOptions,
): SentResponse {
  if (path !== '/update') return notFound;
  if (method === 'GET') return { status: 200, body: "<input name='firmware'><input name='filesystem'>" };
  const file = parts.find(({ fileName }) => fileName !== undefined);
  if (file === undefined) return notFound;
  const kind = file.name === 'filesystem' ? 'filesystem' : 'sketch';
  const success = '<META http-equiv="refresh" content="15;URL=/">Update Success! Rebooting...';
  return install(server, kind, file.content, failure && `Update error: ${failure}`, success, 200);
}

function install(
  server: FormServer,
  kind: 'sketch' | 'filesystem',
  image: Buffer,
  failure: string | undefined,
  success: string,
  failureStatus: number,
): SentResponse {
  if (failure !== undefined) return { status: failureStatus, body: failure };
  server.installed.push({ kind, image });
  return { status: 200, body: success };
}

/** Starts a server on loopback that behaves like the web updater of a firmware. */
export async function startFormServer(
  t: ExecutionContext,
  which: keyof typeof handlers,
  options: FormServerOptions = {},
): Promise<FormServer> {
  const server = createServer((request, response) => void respond(request, response));
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://device');
    const { method = '', headers } = request;
    state.requests.push(`${method} ${path}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { password } = options;
    const expected = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    const parts = partsOf(Buffer.concat(chunks), headers['content-type']);
    const { status, body } =
      password !== undefined && headers.authorization !== expected
        ? { status: 401, body: '' }
        : handlers[which]({ method, path, query, headers, parts }, state, options);
    response.statusCode = status;
    if (typeof body !== 'string') for (const piece of body) response.write(piece);
    response.end(typeof body === 'string' ? body : undefined);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const webPort = address === null || typeof address === 'string' ? 0 : address.port;
  const state: FormServer = { host: '127.0.0.1', webPort, installed: [], requests: [] };
  return state;
}

function partsOf(body: Buffer, contentType = ''): readonly ReceivedPart[] {
  const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(contentType)?.[1];
  if (boundary === undefined) return [];
  const text = body.toString('latin1');
  return text
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const [head = '', ...rest] = part.slice(2, -2).split('\r\n\r\n');
      const fileName = /; filename="([^"]*)"/.exec(head)?.[1];
      const name = /; name="([^"]*)"/.exec(head)?.[1] ?? '';
      return { name, fileName, content: Buffer.from(rest.join('\r\n\r\n'), 'latin1') };
    });
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
