import { freeSketchSpace } from '../core/device-model/staging.ts';
import { compareReleases } from '../core/model/core-name.ts';
import type { DeviceContext } from './device-context.ts';
import type { Identity } from './identity.ts';

/** Purpose of an update request: a sketch image, a filesystem image, or only the available version. */
export type UpdateMode = 'sketch' | 'filesystem' | 'version';

/** Parts of a URL, as parsed by `HTTPClient::beginInternal`. */
export interface RequestTarget {
  readonly protocol: 'http:' | 'https:';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Credentials in the form `user:password`, or an empty string. */
  readonly login: string;
}

/**
 * Parses a URL into a request target.
 *
 * @throws TypeError if `url` is not a URL
 */
export function targetOf(url: string): RequestTarget {
  const { protocol, hostname, port, pathname, search, username, password } = new URL(url);
  const isSecure = protocol === 'https:';
  return {
    protocol: isSecure ? 'https:' : 'http:',
    host: hostname,
    port: port === '' ? (isSecure ? 443 : 80) : Number(port),
    path: `${pathname}${search}`,
    login: username === '' ? '' : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
  };
}

/**
 * Returns the target of a redirect to a path on the same host, or to a URL with the same protocol (`HTTPClient::setURL`).
 *
 * @returns undefined if the client does not follow the redirect
 */
export function redirectTarget(from: RequestTarget, location: string): RequestTarget | undefined {
  if (location.startsWith('/')) return { ...from, path: location };
  if (!location.startsWith(from.protocol) || !URL.canParse(location)) return undefined;
  const target = targetOf(location);
  return { ...target, login: target.login === '' ? from.login : target.login };
}

/** Formats the request like `HTTPClient::sendHeader`. */
export function requestText(target: RequestTarget, headers: readonly string[]): string {
  const { host, port, path, login } = target;
  const isUsualPort = port === 80 || port === 443;
  const lines = [
    `GET ${path === '' ? '/' : path} HTTP/1.0`,
    `Host: ${host}${isUsualPort ? '' : `:${port}`}`,
    'User-Agent: ESP8266-http-Update',
    ...(login === '' ? [] : [`Authorization: Basic ${Buffer.from(login).toString('base64')}`]),
    'Connection: close',
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Returns the headers that describe the device (`ESP8266HTTPUpdate::handleUpdate`). */
export function updateHeaders(
  { firmware, mac }: DeviceContext,
  { apMac, chipId }: Identity,
  mode: UpdateMode,
  sdkVersion: string,
) {
  const { build, modelDevice } = firmware;
  const modes = { sketch: 'sketch', filesystem: 'spiffs', version: 'version' } as const;
  return [
    ...(build.capabilities.sendsChipId ? [`x-ESP8266-Chip-ID: ${chipId}`] : []),
    `x-ESP8266-STA-MAC: ${mac}`,
    `x-ESP8266-AP-MAC: ${apMac}`,
    `x-ESP8266-free-space: ${freeSketchSpace(modelDevice)}`,
    `x-ESP8266-sketch-size: ${modelDevice.sketchSizeBytes}`,
    ...(build.capabilities.sendsSketchMd5 ? [`x-ESP8266-sketch-md5: ${firmware.sketchMd5}`] : []),
    `x-ESP8266-chip-size: ${modelDevice.chipSizeBytes}`,
    `x-ESP8266-sdk-version: ${sdkVersion}`,
    ...(build.capabilities.sendsMode ? [`x-ESP8266-mode: ${modes[mode]}`] : []),
    ...(build.version === '' ? [] : [`x-ESP8266-version: ${build.version}`]),
    ...contentLength(build.core),
  ];
}

/** Returns the Content-Length header for an empty body. Since core 2.7.0, `HTTPClient::sendRequest` adds this header. */
function contentLength(core: string): readonly string[] {
  return compareReleases(core, '2.7.0') < 0 ? [] : ['Content-Length: 0'];
}
