/** Error texts for `HTTPC_ERROR_…` (ESP8266HTTPClient.h). */
const clientErrors = {
  connectionFailed: 'connection failed',
  connectionLost: 'connection lost',
  noHttpServer: 'no HTTP server',
  encoding: 'Transfer-Encoding not supported',
  readTimeout: 'read Timeout',
} as const;

/** Error texts for `HTTP_UE_SERVER_…` (ESP8266httpUpdate.h), by status. The device model contains the errors that depend on the body. */
const statusErrors: ReadonlyMap<number, string> = new Map([
  [401, 'Unauthorized (401)'],
  [403, 'Forbidden (403)'],
  [404, 'File Not Found (404)'],
]);

export type ClientError = keyof typeof clientErrors;

/** Returns the error text (`getLastErrorString`) for a failed request. */
export function clientErrorText(error: ClientError): string {
  return `HTTP error: ${clientErrors[error]}`;
}

/** Returns the error text (`getLastErrorString`) for a response with an unexpected status. */
export function statusErrorText(status: number): string {
  return statusErrors.get(status) ?? 'Wrong HTTP Code';
}

/** Returns the error text (`getLastErrorString`) for an update that the Updater rejected. */
export function updateErrorText(printed: string): string {
  return `Update error: ${printed}`;
}
