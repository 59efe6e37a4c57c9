import type { ExecutionContext } from 'ava';
import mqtt from 'mqtt';
import { Program } from '../../engines/program.ts';
import { freePort } from '../../support/free-port.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { aptInstall } from '../provision/apt.ts';

export const installMosquitto = () => aptInstall(['mosquitto']);

export interface Mosquitto {
  readonly port: number;
  readonly folder: TestFolder;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Prepares a broker without persistence. `lines` are further lines of its configuration. */
export async function mosquitto(t: ExecutionContext, lines: readonly string[] = []): Promise<Mosquitto> {
  const [folder, port] = [await testFolder(t), await freePort()];
  const anonymous = lines.length === 0 ? ['allow_anonymous true'] : [];
  const config = [`listener ${port} 127.0.0.1`, 'persistence false', 'user root', ...anonymous, ...lines];
  const path = await folder.write('mosquitto.conf', `${config.join('\n')}\n`);
  let program: Program | undefined;
  const stop = async () => {
    await program?.stop();
    program = undefined;
  };
  t.teardown(stop);
  return {
    port,
    folder,
    stop,
    async start() {
      program = new Program('/usr/sbin/mosquitto', ['-c', path]);
      await program.untilListening(port);
    },
  };
}

export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly isRetained: boolean;
}

/** Client of a broker that receives all messages, as Home Assistant does. */
export interface Subscriber {
  readonly log: readonly Message[];
  /** Last message of each topic, without the topics whose message was removed. */
  readonly topics: ReadonlyMap<string, string>;
  /** Waits until a condition on the received messages holds. */
  until(condition: () => boolean): Promise<void>;
  publish(topic: string, payload: string, retain?: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Connects to a broker that may not run yet, and again if it stops. */
export async function subscriber(t: ExecutionContext, port: number): Promise<Subscriber> {
  const client = mqtt.connect({ host: '127.0.0.1', port, protocol: 'mqtt', reconnectPeriod: 20 });
  const log: Message[] = [];
  const topics = new Map<string, string>();
  let wake: () => void = () => undefined;
  client.on('message', (topic, bytes, { retain }) => {
    const payload = bytes.toString();
    log.push({ topic, payload, isRetained: retain });
    if (payload === '') topics.delete(topic);
    else topics.set(topic, payload);
    wake();
  });
  const close = async () => void (await client.endAsync(true));
  t.teardown(close);
  await client.subscribeAsync('#', { qos: 1 });
  return {
    log,
    topics,
    close,
    async until(condition) {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async publish(topic, payload, retain = false) {
      await client.publishAsync(topic, payload, { qos: 1, retain });
    },
  };
}
