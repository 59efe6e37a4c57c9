/** Escape sequences from a server: nothing that a server sends reaches the terminal of a publisher or an administrator unescaped. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import * as v from 'valibot';
import { auditInfoSchema, deviceInfoSchema, projectInfoSchema, tokenInfoSchema } from '../../../src/api/admin-info.ts';
import { deviceRemovedResponse, serverResponse, tokenRevokedResponse } from '../../../src/api/client/responses.ts';
import { credentialsResponseSchema, revocationResponseSchema } from '../../../src/api/device-credentials.ts';
import { deviceSetResponseSchema, importResponseSchema } from '../../../src/api/device-sets.ts';
import { releaseFindingSchema, releaseImageSchema, releaseInfoSchema } from '../../../src/api/release-info.ts';
import { rolloutInfoSchema } from '../../../src/api/rollout-info.ts';
import { commandTree, words } from '../../cli/help/command-tree.ts';
import { folderWith, packDoor } from '../../publishing/packed-door.ts';
import { door } from '../../support/built-sketch.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { runCommand } from '../../support/run-command.ts';
import type { TestFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { changedValue, hostileValues } from '../support/changed-value.ts';
import { allHostileText, hostileIn, hostileText, hostileValue } from './hostile-text.ts';

const list = <Schema extends v.GenericSchema>(name: string, schema: Schema) => v.object({ [name]: v.array(schema) });
const releaseResponse = v.object({
  outcome: v.string(),
  release: releaseImageSchema,
  warnings: v.array(releaseFindingSchema),
});

/** Shape of the response by request. */
const shapes: readonly (readonly [RegExp, v.GenericSchema])[] = [
  [/GET .*\/server$/, serverResponse],
  [/POST .*\/devices\/credentials\/revoke/, revocationResponseSchema],
  [/POST .*\/devices\/credentials/, credentialsResponseSchema],
  [/DELETE .*\/devices\//, deviceRemovedResponse],
  [/DELETE .*\/tokens\//, tokenRevokedResponse],
  [/GET .*\/projects$/, list('projects', projectInfoSchema)],
  [/ .*\/devices\/import$/, importResponseSchema],
  [/PATCH .*\/devices$/, deviceSetResponseSchema],
  [/POST .*\/devices\/retry$/, deviceSetResponseSchema],
  [/GET .*\/devices(\?|$)/, list('devices', deviceInfoSchema)],
  [/ .*\/devices\/[^/]+/, deviceInfoSchema],
  [/GET .*\/rollouts(\?|$)/, list('rollouts', rolloutInfoSchema)],
  [/ .*\/rollouts/, rolloutInfoSchema],
  [/POST .*\/releases$/, releaseResponse],
  [/GET .*\/releases/, list('releases', releaseInfoSchema)],
  [/ .*\/(releases\/yank|channels)/, v.object({ release: releaseInfoSchema })],
  [/GET .*\/tokens$/, list('tokens', tokenInfoSchema)],
  [/ .*\/tokens/, tokenInfoSchema],
  [/ .*\/audit/, list('entries', auditInfoSchema)],
  [/ .*\/projects\/[^/]+$/, projectInfoSchema],
];

const problem = v.object({
  error: v.object({
    code: v.string(),
    message: v.string(),
    hint: v.string(),
    problems: v.array(v.string()),
    blockedBy: v.array(releaseFindingSchema),
  }),
});

/** Kinds of responses: the requested data, an error, a redirect, and an unrelated page. */
const responses = ['data', 'problem', 'redirect', 'page'] as const;

type Change = (response: unknown) => unknown;

interface HostileServer {
  readonly url: string;
  text: string;
  /** Changes the data of a response. */
  change: Change;
  response: (typeof responses)[number];
}

/** Starts a server that writes its responses itself: Node.js would reject some of the characters in headers. */
async function startHostileServer(t: ExecutionContext): Promise<HostileServer> {
  const server = createServer((request) => {
    request.resume();
    request.on('end', () => request.socket.end(response(`${request.method} ${request.url}`)));
  });
  const state: HostileServer = { url: '', text: '', change: (response) => response, response: 'data' };
  const response = (line: string): Buffer => {
    const { text, response } = state;
    const shape = shapes.find(([pattern]) => pattern.test(line))?.[1] ?? releaseResponse;
    const inHeader = text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
    const [status, header, body] = {
      data: ['200 OK', 'X: y', JSON.stringify(state.change(hostileValue(shape, text)))],
      problem: [`409 ${inHeader}`, 'X: y', JSON.stringify(hostileValue(problem, text))],
      redirect: ['302 Found', `Location: http://127.0.0.1/${inHeader}`, ''],
      page: [`418 ${inHeader}`, `Content-Type: ${inHeader}`, text],
    }[response];
    const head = `HTTP/1.1 ${status}\r\n${header}\r\nConnection: close\r\n\r\n`;
    return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body ?? '')]);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return Object.assign(state, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** The command lines in the help of all commands that connect to a server, with a different address in place of the server's. */
async function commandLines(url: string): Promise<readonly (readonly string[])[]> {
  const tree = await commandTree();
  const examples = tree.filter(({ words: [, first] }) => first === 'server').flatMap(({ examples: all }) => all);
  const lines = examples.filter((line) => !/--(data|help)/.test(line));
  return [...new Set(lines), `ota-hooks publish build --to ${url} --project door`].map((line) =>
    words(line.replaceAll('https://ota.example.com', url)).slice(1),
  );
}

async function workFolder(t: ExecutionContext): Promise<TestFolder> {
  return folderWith(
    t,
    { build: await packDoor({ version: '1.5' }) },
    {
      'arduino-db.json': '{"18:FE:AA:AA:AA:AA": {"file": "DOOR-7-g14f53a19.bin", "version": 1}}',
      'public.key': door.publicPem,
    },
  );
}

test('escapes all text that a server sends', async (t) => {
  const server = await startHostileServer(t);
  const folder = await workFolder(t);
  const env = { OTA_SERVER: server.url, OTA_TOKEN: 'x'.repeat(43), OTA_PASSWORD: 'open sesame' };
  const lines = await commandLines(server.url);
  const kinds = new Map<string, number>();
  const run = async (argv: readonly string[], isFancy: boolean) => {
    const { stdout, stderr, error } = await runCommand(argv, { cwd: folder.path, env, fancy: isFancy });
    kinds.set(error?.code ?? 'done', (kinds.get(error?.code ?? 'done') ?? 0) + 1);
    t.is(hostileIn(stdout + stderr, isFancy), undefined, argv.join(' '));
    if (argv.includes('--json') && stdout !== '') t.notThrows(() => JSON.parse(stdout), stdout);
    return stdout;
  };
  let tried = 0;
  const runs = propertyRuns(200, 5000);
  const inAll = fc.tuple(
    fc.constantFrom(...lines),
    fc.constantFrom(...responses),
    fc.boolean(),
    fc.boolean(),
    hostileText,
  );
  const attack = async (
    argv: readonly string[],
    response: HostileServer['response'],
    isJson: boolean,
    isFancy: boolean,
  ) => {
    server.response = response;
    tried++;
    return run(isJson && !argv.includes('--json') ? [...argv, '--json'] : argv, isFancy);
  };
  server.text = allHostileText;
  for (const argv of lines) for (const response of responses) await attack(argv, response, false, true);
  const json = await attack(['server', 'projects', 'list'], 'data', true, false);
  t.is(JSON.parse(json)[0].name, allHostileText, 'JSON output carries the text unchanged');
  await fc.assert(
    fc.asyncProperty(inAll, async ([argv, response, isJson, isFancy, text]) => {
      server.text = text;
      await attack(argv, response, isJson, isFancy);
    }),
    runs,
  );
  for (const kind of ['done', 'SERVER_REJECTED', 'SERVER_REDIRECTS', 'SERVER_NOT_OURS']) {
    t.true((kinds.get(kind) ?? 0) > 20, `${kind}: ${JSON.stringify([...kinds])}`);
  }
  countAttacks({ kind: 'terminal text from a server', tried, withstood: tried });
});

test('ends each command with a result or a named error after a response with values of the wrong type', async (t) => {
  const server = await startHostileServer(t);
  const folder = await workFolder(t);
  const env = { OTA_SERVER: server.url, OTA_TOKEN: 'x'.repeat(43), OTA_PASSWORD: 'open sesame' };
  const lines = await commandLines(server.url);
  server.text = 'a';
  const kinds = new Map<string, number>();
  let tried = 0;
  const attack = async (argv: readonly string[], change: Change) => {
    server.change = change;
    tried++;
    const { error } = await runCommand(argv, { cwd: folder.path, env });
    kinds.set(error?.code ?? 'done', (kinds.get(error?.code ?? 'done') ?? 0) + 1);
  };
  for (const value of hostileValues) {
    for (const argv of lines)
      await t.notThrowsAsync(
        attack(argv, () => value),
        `${argv.join(' ')}: ${value}`,
      );
  }
  const change = fc.tuple(
    fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
    fc.constantFrom(undefined, ...hostileValues),
  );
  const property = fc.asyncProperty(fc.constantFrom(...lines), change, async (argv, [steps, value]) =>
    attack(argv, (response) => changedValue(response, steps, value)),
  );
  await fc.assert(property, propertyRuns(500, 20_000));
  t.true((kinds.get('SERVER_NOT_OURS') ?? 0) > 100, JSON.stringify([...kinds]));
  countAttacks({ kind: 'responses with the wrong structure', tried, withstood: tried });
});

test('commands ignore unknown fields in the response of a newer server', async (t) => {
  const server = await startHostileServer(t);
  const env = { OTA_SERVER: server.url, OTA_TOKEN: 'x'.repeat(43) };
  server.text = 'a';
  server.change = (response) => JSON.parse(JSON.stringify(response).replaceAll('{', '{"more":[1],'));
  for (const what of ['projects', 'tokens']) {
    const { error, stdout } = await runCommand(['server', what, 'list'], { cwd: '/', env });
    t.is(error, undefined);
    t.not(stdout, '');
  }
});
