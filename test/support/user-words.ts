import type { UserWords } from '../../src/project/config/user-words.ts';

/** A user who has said nothing: no environment variables and no user configuration. */
export const noWords: UserWords = {
  env: {},
  platform: process.platform,
  home: '/nonexistent',
  userId: process.geteuid?.(),
};
