import type { UserWords } from '../config/user-words.ts';

/** Returns the URL of the run of a build server; undefined on the machine of a person. */
export function buildServerRun({ env }: Pick<UserWords, 'env'>): string | undefined {
  const { GITHUB_SERVER_URL: github, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
  if (github && repository && run) return `${github}/${repository}/actions/runs/${run}`;
  return env['CI_JOB_URL'] || env['BUILD_URL'] || undefined;
}
