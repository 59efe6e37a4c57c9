import { stat } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { startTestServer } from '../../server/running-server.ts';
import { countingServer } from '../../support/counting-server.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

const file = '.config/ota-hooks/tokens.json';

/** A server, and a user without OTA_TOKEN who has chosen the server with OTA_SERVER. */
async function place(t: ExecutionContext) {
  const server = await startTestServer(t);
  const folder = await testFolder(t);
  const run = (argv: readonly string[], more: Partial<Parameters<typeof runCommand>[1]> = {}) =>
    runCommand(argv, { cwd: folder.path, env: { OTA_SERVER: server.url }, ...more });
  return { server, folder, run };
}

test('login stores a token from standard input, whoami shows it, server commands use it, and logout removes it', async (t) => {
  const { server, folder, run } = await place(t);
  const before = await run(['server', 'projects', 'list']);
  t.is(before.error?.code, 'SECRET_MISSING');
  t.regex(before.error?.hint ?? '', /ota-hooks login http:/);

  const made = await server.api('POST', '/tokens', { roles: ['read'], name: 'desk' });
  const token = String(made.body['token']);
  const login = await run(['login'], { stdin: `${token}\n` });
  t.is(login.stdout, `Logged in to ${server.url} as desk (read)\n`);
  if (process.platform !== 'win32') {
    t.is((await stat(folder.at(file))).mode & 0o777, 0o600);
    t.is((await stat(folder.at('.config/ota-hooks'))).mode & 0o777, 0o700);
  }
  t.is((await run(['server', 'projects', 'list'])).exitCode, 0);
  const who = await run(['whoami', '--json']);
  t.like(JSON.parse(who.stdout), { server: server.url, name: 'desk', roles: ['read'] });
  t.regex((await run(['whoami'])).stdout, /^name +desk\n.*\nrole +read\n.*\nproject +all\nserver +http:/);
  for (const { stdout, stderr } of [login, who]) t.false(`${stdout}${stderr}`.includes(token));

  const other = await run(['whoami'], { env: { OTA_SERVER: server.url, OTA_TOKEN: server.token } });
  t.notRegex(other.stdout, /desk/, 'OTA_TOKEN has priority');
  t.regex((await run(['logout'])).stdout, /^Removed the token for http:/);
  t.regex((await run(['logout'])).stdout, /^No token for http:/);
  t.is((await run(['server', 'projects', 'list'])).error?.code, 'SECRET_MISSING');
});

test('login prompts for the token at a terminal, and names the server in the prompt', async (t) => {
  const { server, run } = await place(t);
  const questions: string[] = [];
  const promptSecret = async (question: string) => {
    questions.push(question);
    return server.token;
  };
  t.is((await run(['login', server.url], { env: {}, promptSecret })).exitCode, 0);
  t.deepEqual(questions, [`Token for ${server.url}`]);
});

test('login stores nothing if there is no token or the server rejects it', async (t) => {
  const { server, folder, run } = await place(t);
  const other = await countingServer(t);
  const codeOf = async (argv: readonly string[], stdin?: string) =>
    (await run(argv, stdin === undefined ? {} : { stdin })).error?.code;
  t.is(await codeOf(['login']), 'OPTION_MISSING');
  t.is(await codeOf(['login'], ' \n'), 'OPTION_MISSING');
  t.is(await codeOf(['login'], 'two words'), 'TOKEN_INVALID');
  t.is(await codeOf(['login'], 'ota_unknown'), 'SERVER_REJECTED');
  t.is(await codeOf(['login', 'ota.example.com'], server.token), 'SERVER_URL_INVALID');
  t.is(await codeOf(['login', other.url], server.token), 'SERVER_NOT_OURS');
  t.is((await run(['login'], { env: {} })).error?.code, 'DESTINATION_MISSING');
  await t.throwsAsync(stat(folder.at(file)), { code: 'ENOENT' });
});

test('a login is valid for one origin: a different port or scheme needs a token of its own', async (t) => {
  const { server, run } = await place(t);
  const other = await countingServer(t);
  await run(['login'], { stdin: server.token });
  t.is((await run(['whoami', '--server', `${server.url}/`])).exitCode, 0);
  for (const url of [other.url, server.url.replace('http:', 'https:'), server.url.replace('127.0.0.1', 'localhost')]) {
    t.is((await run(['whoami', '--server', url])).error?.code, 'SECRET_MISSING', url);
  }
  t.is(other.requests(), 0);
});

test('a damaged file of tokens is an error that shows none of them', async (t) => {
  const { server, folder, run } = await place(t);
  await run(['login'], { stdin: server.token });
  await folder.write(file, `{"servers": {"x": "${server.token}"`);
  const { error } = await run(['whoami']);
  t.is(error?.code, 'USER_CONFIG_INVALID');
  t.false(`${error?.message}${error?.hint}`.includes(server.token));
});

test('whoami shows the project of a token that is limited to one, and an unknown name suggests only its project', async (t) => {
  const { server, run } = await place(t);
  for (const project of ['door', 'doors']) await server.api('PUT', `/projects/${project}`, {});
  const made = await server.api('POST', '/tokens', { roles: ['read'], project: 'doors', name: 'limited' });
  await run(['login'], { stdin: String(made.body['token']) });
  t.is(JSON.parse((await run(['whoami', '--json'])).stdout).project, 'doors');
  const limited = await run(['server', 'releases', 'list', 'doorz']);
  t.notRegex(`${limited.error?.message}${limited.error?.hint}`, /\bdoor\b/);
  const admin = await run(['server', 'releases', 'list', 'doorz'], {
    env: { OTA_SERVER: server.url, OTA_TOKEN: server.token },
  });
  t.regex(admin.error?.hint ?? '', /^Did you mean door or doors\? Check the name/);
});
