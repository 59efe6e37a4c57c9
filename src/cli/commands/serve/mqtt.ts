import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import type { MqttSettings } from '../../../server/services/mqtt/publisher.ts';
import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import { environmentValue, requireNoPassword } from '../../shared/storage-options.ts';
import type { ServeOptions } from './options.ts';

const defaultPorts: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 };

/**
 * Determines the MQTT broker from the options and the environment.
 *
 * @returns undefined if no broker is set
 * @throws OtaError URL_PASSWORD_EXPOSED, MQTT_URL_INVALID, OPTION_MISSING, FILE_NOT_FOUND, FILE_UNREADABLE, TLS_FILE_UNUSABLE
 */
export async function chosenBroker(
  { mqtt, mqttCa, mqttInstall }: Pick<ServeOptions, 'mqtt' | 'mqttCa' | 'mqttInstall'>,
  { cwd, env }: Pick<Io, 'cwd' | 'env'>,
  report: Pick<Report, 'path'>,
): Promise<MqttSettings | undefined> {
  requireNoPassword('--mqtt', mqtt);
  const text = mqtt ?? environmentValue(env, 'OTA_MQTT_URL');
  if (text === undefined) {
    const subject = mqttInstall === true ? '--mqtt-install' : mqttCa === undefined ? undefined : '--mqtt-ca';
    if (subject !== undefined) throw new OtaError('OPTION_MISSING', { subject, wanted: '--mqtt URL' });
    return undefined;
  }
  const broker = brokerIn(text, environmentValue(env, 'OTA_MQTT_PASSWORD'));
  if (mqttCa === undefined) return { ...broker, mayInstall: mqttInstall === true };
  if (!broker.isSecure) throw new OtaError('OPTION_MISSING', { subject: '--mqtt-ca', wanted: '--mqtt mqtts://HOST' });
  const path = resolve(cwd, mqttCa);
  const ca = Buffer.from(await readNamedFile(path, 'CA certificate')).toString('utf8');
  requireCertificate(ca, report.path(path));
  return { ...broker, ca, mayInstall: mqttInstall === true };
}

/** @throws OtaError MQTT_URL_INVALID. Neither the error nor its cause contains the URL. */
function brokerIn(text: string, password: string | undefined): Omit<MqttSettings, 'ca' | 'mayInstall'> {
  const invalid = (reason: string) => new OtaError('MQTT_URL_INVALID', { reason });
  if (!URL.canParse(text)) throw invalid('it is not a URL');
  const url = new URL(text);
  const defaultPort = defaultPorts[url.protocol];
  if (defaultPort === undefined) throw invalid('it must begin with mqtt:// or mqtts://');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw invalid('it names no host');
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    throw invalid('it must end after the host or the port');
  }
  const user = decoded(url.username);
  const secret = password ?? decoded(url.password);
  if (secret !== undefined && user === undefined) throw invalid('a password is set, but the URL names no user');
  const port = url.port === '' ? defaultPort : Number(url.port);
  return { host, port, isSecure: url.protocol === 'mqtts:', user, password: secret };
}

function decoded(part: string): string | undefined {
  if (part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new OtaError('MQTT_URL_INVALID', {
      reason: 'a percent sign in it is not followed by two hexadecimal digits',
    });
  }
}

/** @throws OtaError TLS_FILE_UNUSABLE */
function requireCertificate(pem: string, path: string): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new OtaError('TLS_FILE_UNUSABLE', { path, reason: 'it contains no certificate in PEM format' }, cause);
  }
}
