import * as v from 'valibot';
import type { WebhookEvent, WebhookFormat } from '../../../api/webhooks.ts';
import { rejectionText } from '../../../core/model/guard-rejection.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import type { DeliveryRecord } from '../../storage/records.ts';

/** Body of a request, and the headers that depend on the format. */
export interface WebhookMessage {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Event = Pick<DeliveryRecord, 'event' | 'payload'>;

const json = { 'content-type': 'application/json' };

/** Discord rejects longer messages. */
const mostCharacters = 2000;

/** Formats an event for a receiver. */
export function messageFor(format: WebhookFormat, event: Event): WebhookMessage {
  switch (format) {
    case 'standard':
      return { body: event.payload, headers: json };
    case 'ntfy': {
      const priority = event.event === 'rollout.halted' || event.event === 'rollout.stalled' ? 'high' : 'default';
      return {
        body: textOf(event),
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          Title: `ota-hooks: ${event.event}`,
          Priority: priority,
        },
      };
    }
    case 'slack':
      return { body: JSON.stringify({ text: escapedForSlack(textOf(event)) }), headers: json };
    case 'discord':
      // A reason or a name must not notify all members of the channel.
      return { body: JSON.stringify({ content: textOf(event), allowed_mentions: { parse: [] } }), headers: json };
  }
}

const payloadSchema = v.object({
  data: v.object({
    project: v.optional(v.string()),
    mac: v.optional(v.string()),
    how: v.optional(v.string()),
    rejection: v.optional(v.number()),
    rules: v.optional(v.array(v.string())),
    limitReached: v.optional(v.boolean()),
    version: v.optional(v.string()),
    channel: v.optional(v.string()),
    change: v.optional(v.picklist(['rollout', 'promotion'])),
    openStages: v.optional(v.number()),
    reason: v.optional(v.string()),
    releases: v.optional(v.array(v.object({ version: v.string() }))),
  }),
});

const pastActions: Readonly<Record<WebhookEvent, string>> = {
  'rollout.started': 'started',
  'rollout.stage-opened': 'opened a stage',
  'rollout.paused': 'paused',
  'rollout.resumed': 'resumed',
  'rollout.halted': 'HALTED',
  'rollout.aborted': 'aborted',
  'rollout.rolled-back': 'rolled back',
  'rollout.completed': 'completed',
  'rollout.stalled': 'STALLED',
  'rollout.progressed': 'is progressing again',
  'release.published': 'published',
  'release.promoted': 'promoted',
  'release.yanked': 'yanked',
  'approval.requested': 'waits for approval',
  'approval.granted': 'approved',
  'approval.declined': 'declined',
  'device.updated': 'installed',
  'device.failed': 'FAILED to install',
  'device.blocked': 'is blocked from installing',
};

/** Describes an event in one line. */
function textOf({ event, payload }: Event): string {
  const { data } = v.parse(payloadSchema, JSON.parse(payload));
  if (event.startsWith('device.')) return deviceText(event, data);
  const versions = data.version ?? imagesText(data.releases ?? []);
  const isOfRollout = event.startsWith('rollout.') || data.change === 'rollout';
  const subject = isOfRollout ? 'Rollout of ' : data.change === undefined ? '' : 'Promotion of ';
  const on = data.channel === undefined ? '' : ` on ${data.channel}`;
  const why = data.reason === undefined ? '' : `: ${data.reason}`;
  return `${subject}${data.project} ${versions}${on} ${pastActions[event]}${why}`.slice(0, mostCharacters);
}

/** Names the versions of images, and how many images there are, because an event can apply to a part of a version. */
function imagesText(images: readonly { readonly version: string }[]): string {
  const versions = new Set(images.map(({ version }) => version));
  return `${[...versions].join(', ')} (${counted(images.length, 'image')})`;
}

function deviceText(event: WebhookEvent, data: v.InferOutput<typeof payloadSchema>['data']): string {
  const { project, mac, version = 'an update', how, rejection, rules = [], limitReached } = data;
  const why = rejection === undefined ? (how ?? rules.join(', ')) : `guard: ${rejectionText(rejection)}`;
  const rest = limitReached === true ? '. Further events of devices are omitted for an hour.' : '';
  return `${project}: ${mac} ${pastActions[event]} ${version}${why === '' ? '' : ` (${why})`}${rest}`.slice(
    0,
    mostCharacters,
  );
}

/** Escapes the characters with which Slack marks links and mentions. */
function escapedForSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
