import { createHash, randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { CredentialState, DeviceInfo } from '../../../../api/admin-info.ts';
import {
  type CredentialsRequest,
  credentialsResponseSchema,
  mostCredentials,
} from '../../../../api/device-credentials.ts';
import { counted } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { type ServerClient, segment, serverClient, serverCommand } from '../connection.ts';
import { createSecretsFile, type NewSecret, rewriteSecretsFile } from './secrets-file.ts';
import { deviceSelection, selectDevices } from './select-devices.ts';

/** 192 random bits; 32 characters as base64url. */
const secretBytes = 24;

const credentialsCommand = (declaration: Declaration) =>
  serverCommand(
    declaration,
    'credentials <project> [device...]',
    'Create device credentials: one secret for each device',
    [
      'ota-hooks server devices credentials door --all --out secrets.csv --server https://ota.example.com',
      'ota-hooks server devices credentials door --group hall --rotate --json',
    ],
  )
    .addOption(deviceSelection.group)
    .addOption(deviceSelection.label)
    .addOption(deviceSelection.all)
    .option('--rotate', 'Also replace secrets in use; the old secret stays valid until the device has used the new one')
    .option(
      '--replace-unused',
      'Also replace secrets that have not been used yet; the old secrets become invalid immediately',
    )
    .option('--out <file>', 'New file for the secrets, readable only by you; CSV, or JSON if its name ends with .json');

type CredentialsOptions = OptionsOf<typeof credentialsCommand>;

export function declareCredentials(declaration: Declaration): void {
  credentialsCommand(declaration).action((project, names, options) => create(project, names, options, declaration.io));
}

async function create(project: string, names: readonly string[], options: CredentialsOptions, io: Io): Promise<void> {
  const { out, json } = options;
  if (out === undefined && json !== true) {
    throw new OtaError('OPTION_MISSING', { subject: '`credentials`', wanted: '--out FILE or --json' });
  }
  const client = serverClient(options, io);
  const devices = await selectDevices(client, project, names, options);
  const path = out === undefined ? undefined : resolve(io.cwd, out);
  const secrets = devices.filter((device) => isDue(device, options)).map(newSecret);
  if (path !== undefined && secrets.length > 0) await createSecretsFile(path, secrets);
  const created = new Set(await register(client, project, secrets, options));
  const accepted = secrets.filter(({ mac }) => created.has(mac));
  if (path !== undefined && accepted.length < secrets.length) await rewriteSecretsFile(path, accepted);
  const skipped = devices.filter(({ mac }) => !created.has(mac)).map(({ mac, credentials }) => ({ mac, credentials }));
  client.report.result(
    'server devices credentials',
    { created: path === undefined ? accepted : accepted.map(({ mac, user }) => ({ mac, user })), skipped, file: path },
    [
      `Created ${counted(accepted.length, 'secret')}${path === undefined || accepted.length === 0 ? '' : ` in ${client.report.path(path)}`}`,
      ...skippedLines(skipped),
    ],
  );
}

/** Returns true if a device needs a new secret. The server applies the same rules. */
function isDue({ credentials }: DeviceInfo, { rotate, replaceUnused }: CredentialsOptions): boolean {
  if (credentials === 'used') return rotate === true;
  return (credentials !== 'unused' && credentials !== 'rotating') || replaceUnused === true;
}

function newSecret({ mac }: DeviceInfo): NewSecret {
  return { mac, user: mac.replaceAll(':', ''), secret: randomBytes(secretBytes).toString('base64url') };
}

/** Sends the hashes of the secrets to the server and returns the MACs of the devices whose secrets it stored. */
async function register(
  client: ServerClient,
  project: string,
  secrets: readonly NewSecret[],
  { rotate, replaceUnused }: CredentialsOptions,
): Promise<readonly string[]> {
  const created: string[] = [];
  for (let at = 0; at < secrets.length; at += mostCredentials) {
    const credentials = secrets.slice(at, at + mostCredentials).map(({ mac, secret }) => {
      return { mac, hash: createHash('sha256').update(secret).digest('hex') };
    });
    const request: CredentialsRequest = { credentials, rotate: rotate === true, replaceUnused: replaceUnused === true };
    const urlPath = `/projects/${segment(project)}/devices/credentials`;
    const response = await client.request('POST', urlPath, credentialsResponseSchema, request, { isRepeatable: true });
    created.push(...response.created);
  }
  return created;
}

const reasons: Readonly<Record<CredentialState, string>> = {
  none: 'changed in the meantime',
  revoked: 'changed in the meantime',
  used: 'already authenticated: pass --rotate to replace the secret',
  unused: 'secret not used yet: pass --replace-unused if it is lost',
  rotating: 'new secret not used yet: pass --replace-unused if it is lost',
};

function skippedLines(skipped: readonly { readonly credentials: CredentialState }[]): string[] {
  const counts = new Map<string, number>();
  for (const { credentials } of skipped) counts.set(reasons[credentials], (counts.get(reasons[credentials]) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `Skipped ${counted(count, 'device')}: ${reason}`);
}
