import type { DeviceInfo } from '../../../../api/admin-info.ts';
import {
  mostCredentials,
  type RevocationRequest,
  revocationResponseSchema,
} from '../../../../api/device-credentials.ts';
import { counted } from '../../../../core/model/quantity-text.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { requireConfirmation, yesOption } from '../../../shared/confirmation.ts';
import { segment, serverClient, serverCommand } from '../connection.ts';
import { deviceSelection, selectDevices } from './select-devices.ts';

const revokeCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'revoke-credentials <project> [device...]', 'Revoke device credentials', [
    'ota-hooks server devices revoke-credentials door 18:FE:34:AA:BB:CC --yes --server https://ota.example.com',
    'ota-hooks server devices revoke-credentials door --group hall --forget --yes --json',
  ])
    .addOption(deviceSelection.group)
    .addOption(deviceSelection.label)
    .addOption(deviceSelection.all)
    .option('--forget', 'Serve the devices without credentials from now on, as if they had never had any')
    .addOption(yesOption);

export function declareRevokeCredentials(declaration: Declaration): void {
  revokeCommand(declaration).action((project, names, options) => revoke(project, names, options, declaration.io));
}

async function revoke(
  project: string,
  names: readonly string[],
  options: OptionsOf<typeof revokeCommand>,
  io: Io,
): Promise<void> {
  const client = serverClient(options, io);
  const { report } = client;
  const devices = (await selectDevices(client, project, names, options)).filter(hasSecrets);
  const forget = options.forget === true;
  const affected = devices.filter((device) => forget || isLockedOut(device));
  if (affected.length > 0) {
    report.warn(
      `${forget ? 'anyone can send requests as these devices' : 'the server will reject these devices until they use a new secret'}:`,
    );
    for (const { mac, name } of affected) report.warn(`  ${mac}${name === undefined ? '' : ` (${name})`}`);
    const question = `Revoke the credentials of ${counted(devices.length, 'device')}?`;
    await requireConfirmation(question, { yes: options.yes, command: 'server devices revoke-credentials' }, io);
  }
  const revoked: string[] = [];
  for (let at = 0; at < devices.length; at += mostCredentials) {
    const macs = devices.slice(at, at + mostCredentials).map(({ mac }) => mac);
    const path = `/projects/${segment(project)}/devices/credentials/revoke`;
    const request: RevocationRequest = { macs, forget };
    const response = await client.request('POST', path, revocationResponseSchema, request, { isRepeatable: true });
    revoked.push(...response.revoked);
  }
  const text = `Revoked the credentials of ${counted(revoked.length, 'device')}`;
  report.result('server devices revoke-credentials', { revoked }, text);
}

function hasSecrets({ credentials }: DeviceInfo): boolean {
  return credentials !== 'none';
}

function isLockedOut({ credentials }: DeviceInfo): boolean {
  return credentials === 'used' || credentials === 'rotating';
}
