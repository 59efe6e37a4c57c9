import { removeServerToken } from '../../../project/config/server-tokens.ts';
import { command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type OutputOptions } from '../../output/report.ts';
import { chosenServer } from '../server/connection.ts';

export function declareLogout(declaration: Declaration) {
  return command(declaration, 'logout [url]', 'Remove the stored token for a server', [
    'ota-hooks logout https://ota.example.com',
    'ota-hooks logout https://ota.example.com --json',
  ]).action((url, options) => logout(url, options, declaration.io));
}

/** Removes the token from this computer. It stays valid on the server, where other computers may use it. */
async function logout(to: string | undefined, options: OutputOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const { origin } = chosenServer(to, io);
  const wasStored = await removeServerToken(io, origin);
  if (wasStored) report.say('The token is still valid. To revoke it, use `ota-hooks server tokens revoke`.');
  const text = wasStored ? `Removed the token for ${origin}` : `No token for ${origin} is stored`;
  report.result('logout', { server: origin, removed: wasStored }, text);
}
