import type { IncomingMessage } from 'node:http';
import { secretIn } from '../../auth/device-secrets.ts';
import type { ProjectView } from '../../services/releases/project-view.ts';
import type { Credential, DeviceRecord } from '../../storage/records.ts';
import type { DeviceParts } from './parts.ts';

/** Device request whose credentials are checked. */
interface DeviceLogin {
  readonly request: IncomingMessage;
  readonly view: ProjectView;
  readonly address: string;
}

/** Result of checking the credentials in a request. */
export interface Credentials {
  /** True if the request contained a secret or password. */
  readonly authenticated: boolean;
  readonly hasNewestSecret: boolean;
}

/** Response to a rejected request. */
export interface ErrorResponse {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const withoutCredentials: Credentials = { authenticated: false, hasNewestSecret: false };

/** Checks the secret or password in a request and, in a closed project, that the device is enrolled. */
export function authorizeDevice(
  parts: DeviceParts,
  request: DeviceLogin,
  record: DeviceRecord | undefined,
): Credentials | ErrorResponse | Promise<Credentials | ErrorResponse> {
  const password = record?.credential ?? request.view.project.credential;
  const entry = bySecret(request, record);
  if (entry !== undefined || password === undefined) return admitted(entry ?? withoutCredentials, request, record);
  return byPassword(parts, request, password).then((checked) => admitted(checked, request, record));
}

function admitted(
  entry: Credentials | ErrorResponse,
  request: DeviceLogin,
  record: DeviceRecord | undefined,
): Credentials | ErrorResponse {
  if ('status' in entry) return entry;
  if (request.view.project.access === 'closed' && record?.enrolled !== true) {
    return { status: 404, text: 'Device not enrolled in this project' };
  }
  return entry;
}

/** Returns undefined if the device has not used a secret yet. Such a device is admitted like a device without a secret. */
function bySecret(
  { request, view }: DeviceLogin,
  record: DeviceRecord | undefined,
): Credentials | ErrorResponse | undefined {
  const secret = record && secretIn(request.headers.authorization, record);
  if (secret !== undefined) return { authenticated: true, hasNewestSecret: secret === record?.secrets?.newest };
  return record?.secrets?.required === true ? wrongPassword(view.project.name) : undefined;
}

async function byPassword(
  { credentials, failures }: DeviceParts,
  { request, view, address }: DeviceLogin,
  credential: Credential,
): Promise<Credentials | ErrorResponse> {
  const { project } = view;
  const { authorization } = request.headers;
  const entry = { authenticated: true, hasNewestSecret: false };
  if (credentials.isKnown(credential, authorization)) return entry;
  // Skip the check for a rate-limited address, because each password check takes tens of milliseconds.
  if (!failures.hasAny(address)) return wrongPassword(project.name);
  const isRight = await credentials.check(credential, authorization);
  if (isRight === 'busy') return { status: 429, text: 'Too many concurrent logins' };
  return isRight ? entry : wrongPassword(project.name);
}

function wrongPassword(project: string): ErrorResponse {
  const headers = { 'WWW-Authenticate': `Basic realm="${project}", charset="UTF-8"` };
  return { status: 401, text: 'Wrong user or password', headers };
}
