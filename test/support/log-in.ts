import { saveServerToken } from '../../src/project/config/server-tokens.ts';

/** Stores a token as `ota-hooks login` does, for a user with this home folder. */
export async function logIn(home: string, origin: string, token: string): Promise<void> {
  await saveServerToken({ env: {}, platform: process.platform, home, userId: process.geteuid?.() }, origin, token);
}
