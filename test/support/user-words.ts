import type { UserWords } from '../../src/project/config/user-words.ts';

/** The settings of a user without environment variables and without a user configuration. */
export const noWords: UserWords = {
  env: {},
  platform: process.platform,
  home: '/nonexistent',
  userId: process.geteuid?.(),
};
