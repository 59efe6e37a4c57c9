import { counted } from '../../../core/model/quantity-text.ts';
import type { PageContext } from './page-login.ts';

/** What a form has done, for the message on the page that is shown next. The URL contains only the key and numbers. */
const sentences = {
  saved: () => 'Settings saved',
  created: () => 'Project created',
  requested: () => 'Approval requested. Another person must approve the change',
  declined: () => 'Request declined',
  access: () => 'The person has access now',
  revoked: () => 'Token revoked',
  'removed-webhook': () => 'Webhook removed',
  queued: () => 'The event is sent again',
  enrolled: () => 'Device enrolled',
  retried: () => 'Retry requested',
  removed: () => 'Device removed',
  'changed-all': (devices) => `${counted(devices, 'device')} changed`,
  'removed-all': (devices) => `${counted(devices, 'device')} removed`,
  'retried-all': (devices, waiting) =>
    waiting === 0
      ? `Retry requested for ${counted(devices, 'device')}`
      : `Retry requested for ${counted(devices, 'device')}; ${counted(waiting, 'device')} outside of a rollout not retried yet: retry them when the first ones have reported their results`,
} satisfies Readonly<Record<string, (devices: number, waiting: number) => string>>;
export type Done = keyof typeof sentences;

/** Returns the query that shows a message on the next page. */
export function doneQuery(done: Done, devices = 0, waiting = 0): Readonly<Record<string, string>> {
  return { done, ...(devices > 0 && { devices: String(devices) }), ...(waiting > 0 && { waiting: String(waiting) }) };
}

/** Returns the message for the page; undefined if no form was sent before. */
export function doneText(context: PageContext): string | undefined {
  const key = context.req.query('done') ?? '';
  const number = (name: string) => Number(/^\d{1,9}$/.exec(context.req.query(name) ?? '')?.[0] ?? 0);
  return isDone(key) ? sentences[key](number('devices'), number('waiting')) : undefined;
}

function isDone(key: string): key is Done {
  return Object.hasOwn(sentences, key);
}

export function Done({ text }: { text: string | undefined }) {
  if (text === undefined) return undefined;
  return (
    <p class="done" role="status">
      {text}.
    </p>
  );
}
