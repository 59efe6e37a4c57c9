import { abortAfter } from '../../../api/abort-after.ts';
import type { loadMqtt } from './load-mqtt.ts';

/** MQTT broker, and how to connect to it. */
export interface BrokerSettings {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Certificate authorities in PEM format; defaults to those that Node.js trusts. */
  readonly ca?: string | undefined;
}

interface Session {
  readonly clientId: string;
  /** Topic on which the broker publishes `payload` when the connection is lost. */
  readonly will: { readonly topic: string; readonly payload: string };
}

/** Connection to a broker. */
export interface Broker {
  /** Aborts when the connection is lost. */
  readonly lost: AbortSignal;
  /** Publishes a retained message, and waits until the broker has it. An empty payload removes the message. */
  publish(topic: string, payload: string): Promise<void>;
  /** Calls `receive` for each message that is not retained. */
  subscribe(filter: string, receive: (topic: string, payload: string) => void): Promise<void>;
  /** Returns the topics of the retained messages that match a filter. */
  retained(filter: string): Promise<readonly string[]>;
  /** Publishes a last message and disconnects. The broker does not publish the will. */
  close(last: { readonly topic: string; readonly payload: string }): Promise<void>;
}

const connectMs = 10_000;
/** The connection counts as lost after one and a half times this time without a packet from the broker. */
const keepaliveSeconds = 15;
const closeMs = 2000;

/**
 * Connects to a broker once.
 *
 * @throws the error of the connection or of the log-in
 */
export async function connectBroker(
  mqtt: Awaited<ReturnType<typeof loadMqtt>>,
  { host, port, isSecure, user, password, ca }: BrokerSettings,
  { clientId, will }: Session,
): Promise<Broker> {
  const protocol = isSecure ? 'mqtts' : 'mqtt';
  const client = await mqtt.connectAsync(
    `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    {
      protocol,
      host,
      port,
      clientId,
      ...(user !== undefined && { username: user }),
      ...(password !== undefined && { password }),
      ...(ca !== undefined && { ca }),
      will: { ...will, payload: Buffer.from(will.payload), qos: 1, retain: true },
      // Each connection starts with an empty session, and publishes the full state. The caller connects again.
      reconnectPeriod: 0,
      connectTimeout: connectMs,
      keepalive: keepaliveSeconds,
    },
    false,
  );
  const losing = new AbortController();
  client.on('close', () => {
    losing.abort(new Error('the connection was closed'));
    // Rejects the messages that wait for an acknowledgment.
    client.end(true);
  });
  return {
    lost: losing.signal,

    async publish(topic, payload) {
      await client.publishAsync(topic, payload, { qos: 1, retain: true });
    },

    async subscribe(filter, receive) {
      client.on('message', (topic, payload, { retain }) => {
        if (!retain) receive(topic, payload.toString());
      });
      await client.subscribeAsync(filter, { qos: 1 });
    },

    async retained(filter) {
      const topics: string[] = [];
      const note = (topic: string, payload: Buffer, { retain }: { readonly retain: boolean }) => {
        if (retain && payload.length > 0) topics.push(topic);
      };
      client.on('message', note);
      // The broker sends its retained messages before the acknowledgment of the second request.
      await client.subscribeAsync(filter, { qos: 0 });
      await client.unsubscribeAsync(filter);
      client.off('message', note);
      return topics;
    },

    async close({ topic, payload }) {
      if (losing.signal.aborted) return;
      const limit = abortAfter(closeMs);
      const late = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve()));
      const published = client.publishAsync(topic, payload, { qos: 1, retain: true }).then(() => client.endAsync());
      await Promise.race([published.catch(() => undefined), late]);
      client.end(true);
    },
  };
}
