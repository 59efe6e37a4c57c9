/** `HTTPC_ERROR_…` of ESP8266HTTPClient.h. */
const clientErrors = {
  connectionFailed: 'connection failed',
  connectionLost: 'connection lost',
  noHttpServer: 'no HTTP server',
  encoding: 'Transfer-Encoding not supported',
  readTimeout: 'read Timeout',
} as const;

/** `HTTP_UE_SERVER_…` of ESP8266httpUpdate.h, by status. Those that the body decides are in the model of the Updater. */
const statusErrors: ReadonlyMap<number, string> = new Map([
  [401, 'Unauthorized (401)'],
  [403, 'Forbidden (403)'],
  [404, 'File Not Found (404)'],
]);

export type ClientError = keyof typeof clientErrors;

/** What `getLastErrorString` says when the request itself failed. */
export function clientErrorText(error: ClientError): string {
  return `HTTP error: ${clientErrors[error]}`;
}

/** What it says of an answer that is neither an update nor "nothing new". */
export function statusErrorText(status: number): string {
  return statusErrors.get(status) ?? 'Wrong HTTP Code';
}

/** What it says of what the Updater refused. */
export function updateErrorText(printed: string): string {
  return `Update error: ${printed}`;
}
