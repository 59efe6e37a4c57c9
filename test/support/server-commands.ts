import type { TestServer } from '../server/running-server.ts';
import { runCommand } from './run-command.ts';

/** Runs `ota-hooks server …` against a test server. */
export function serverCommands(server: Pick<TestServer, 'url' | 'token'>, cwd: string, token = server.token) {
  const env = { OTA_TOKEN: token, OTA_SERVER: server.url, ESP_PASSWORD: 'open sesame' };
  const run = (...argv: string[]) => runCommand(['server', ...argv], { cwd, env });
  const json = async (...argv: string[]) => {
    const { stdout, exitCode, stderr, error } = await run(...argv, '--json');
    if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr} ${error?.message}`);
    return JSON.parse(stdout);
  };
  return { run, json };
}
