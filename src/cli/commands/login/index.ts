import { tokenInfoSchema } from '../../../api/admin-info.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { saveServerToken } from '../../../project/config/server-tokens.ts';
import { defaultTokenVariable, isToken, serverDestination } from '../../../publishing/destination.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { serverOptions } from '../../shared/server-options.ts';
import { chosenServer, clientFor } from '../server/connection.ts';
import { tokenDocument, tokenText } from '../whoami/index.ts';

const loginCommand = (declaration: Declaration) =>
  command(declaration, 'login [url]', 'Store the token for a server, which then needs no OTA_TOKEN', [
    'ota-hooks login https://ota.example.com',
    'ota-hooks login --json',
  ]).addOption(serverOptions.ca);

export function declareLogin(declaration: Declaration) {
  return loginCommand(declaration).action((url, options) => login(url, options, declaration.io));
}

/** Reads a token from the prompt or from stdin, and stores it if the server accepts it. */
async function login(to: string | undefined, options: OptionsOf<typeof loginCommand>, io: Io): Promise<void> {
  const url = chosenServer(to, io);
  const token = await readToken(url.origin, io);
  const env = { ...io.env, [defaultTokenVariable]: undefined };
  const where = { cwd: io.cwd, env, tokenVariable: defaultTokenVariable, storedToken: () => token, ca: options.ca };
  const { request, report } = clientFor(serverDestination(url, where), options, io);
  const info = await request('GET', '/token', tokenInfoSchema);
  await saveServerToken(io, url.origin, token);
  const text = `Logged in to ${url.origin} as ${tokenText(info)}`;
  report.result('login', tokenDocument(url.origin, info), text);
}

/** @throws OtaError OPTION_MISSING without a token, TOKEN_INVALID */
async function readToken(origin: string, { promptSecret, readStdin }: Io): Promise<string> {
  const read = promptSecret === undefined ? await readStdin?.() : await promptSecret(`Token for ${origin}`);
  const token = read?.trim() ?? '';
  if (token === '') {
    throw new OtaError('OPTION_MISSING', {
      subject: '`login`',
      wanted: 'a token',
      hint: 'Run the command at a terminal, or redirect a file that contains the token to its standard input.',
    });
  }
  if (!isToken(token)) throw new OtaError('TOKEN_INVALID', { source: 'the input' });
  return token;
}
