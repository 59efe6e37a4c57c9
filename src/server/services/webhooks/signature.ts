import { createHmac, randomBytes } from 'node:crypto';

const prefix = 'whsec_';

/** Creates a key for signatures, in the format of Standard Webhooks. */
export function newWebhookSecret(): string {
  return prefix + randomBytes(24).toString('base64');
}

/** Returns the headers that identify and sign a request, as https://www.standardwebhooks.com specifies. */
export function signatureHeaders(
  secret: string,
  { eventId, atMs, body }: { readonly eventId: string; readonly atMs: number; readonly body: string },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000));
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  const signature = createHmac('sha256', key).update(`${eventId}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': eventId, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
