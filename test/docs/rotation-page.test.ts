/** Runs the commands of the rotation in docs/keys.md with a server and simulated devices, and compares their output with the page. */
import test from 'ava';
import { readPublicKey } from '../../src/core/keys/public-key.ts';
import { syntheticSketch } from '../../src/simulator/synthetic-sketch.ts';
import { startTestServer } from '../server/running-server.ts';
import { door } from '../support/built-sketch.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { until } from '../support/until.ts';
import { readPage } from './pages.ts';

const mainKey = readPublicKey(door.publicPem, 'public.key');
const image = 'build/door.ino.bin';
const fleet = 20;

function sectionText(): string {
  const [, section = ''] = readPage('docs/keys.md').text.split(/^## Rotation\n/m);
  return section.split(/^## /m)[0] ?? '';
}

/** Returns the command blocks of the section, each with the output that the page shows for it. */
function blocks(): readonly { readonly commands: readonly string[]; readonly shown: readonly string[] }[] {
  const text = sectionText();
  return [...text.matchAll(/```sh\n([^`]*)```\n\n```text\n([^`]*)```/g)].map(([, commands = '', shown = '']) => ({
    commands: commands.trim().split('\n'),
    shown: shown.trim().split('\n'),
  }));
}

/** Fingerprints differ with each key pair. */
const comparable = (line: string) => line.replaceAll(/[0-9a-f]{16,}/g, '#').trimEnd();

test('docs/keys.md: rotates the key of a fleet', async (t) => {
  const server = await startTestServer(t);
  const folder = await testFolder(t, {
    'project/private.key': door.privatePem,
    'project/public.key': door.publicPem,
    [`project/${image}`]: syntheticSketch({ seed: 1, sizeBytes: 50_000, publicKey: mainKey }),
    'project/ota.config.json': JSON.stringify({ project: 'door', board: 'd1', publicKey: 'public.key' }),
  });
  const cwd = folder.at('project');
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token, OTA_TOKEN_ORIGIN: server.url };
  const run = async (command: string) => {
    // Synthetic sketches have no ELF file that proves that they verify signatures.
    const declared = command.startsWith('ota-hooks pack') ? ' --declare-enforcement' : '';
    const argv = `${command}${declared}`.split(' ').slice(1);
    const { exitCode, stdout, stderr, error } = await runCommand(argv, { cwd, env, home: folder.path });
    t.is(exitCode, 0, `${command}\n${error?.message}\n${stderr}`);
    return `${stdout}${stderr}`;
  };
  /** Waits until all simulated devices run a version. */
  const allRun = async (version: string) => {
    const running = async () => {
      const { devices } = (await server.api('GET', `/projects/door/devices?version=${version}`)).body as {
        devices: object[];
      };
      return devices.length;
    };
    await until(async () => (await running()) === fleet);
  };
  const build = async (seed: number) =>
    folder.write(
      `project/${image}`,
      syntheticSketch({
        seed,
        sizeBytes: 50_000,
        publicKey: readPublicKey(await folder.text('project/vault-public.key'), 'vault'),
      }),
    );
  const config = async (change: (config: Record<string, unknown>) => void) => {
    const json = JSON.parse(await folder.text('project/ota.config.json'));
    change(json);
    await folder.write('project/ota.config.json', JSON.stringify(json, null, 2));
  };
  await run(`ota-hooks pack ${image} --firmware-version 1.0`);
  await run(`ota-hooks publish ${image} --yes`);

  const [, simulate = ''] = /^(ota-hooks simulate .*)$/m.exec(sectionText()) ?? [];
  const ended = new AbortController();
  const devices = runCommand(simulate.replace('http://localhost:8266', server.url).split(' ').slice(1), {
    ...{ cwd, env, home: folder.path },
    signal: ended.signal,
  });
  await allRun('1.0');
  const parts = blocks();
  t.is(parts.length, 6);
  for (const { commands, shown } of parts) {
    let output = '';
    for (const command of commands) {
      if (command.includes(' header ')) await config((json) => Object.assign(json, { guard: { product: 'door' } }));
      const [, version] = /--firmware-version (\S+)/.exec(command) ?? [];
      if (version !== undefined) await build(Number(version) * 10);
      output += await run(command);
      if (command.includes(' header ')) await config((json) => delete json['guard']);
      if (!command.includes(' publish ')) continue;
      await allRun(commands[0]?.includes('1.1') === true ? '1.1' : '1.2');
    }
    const lines = output.split('\n').map(comparable);
    for (const line of shown.map(comparable)) t.true(lines.includes(line), `${line}\n\n${lines.join('\n')}`);
  }
  ended.abort();
  t.is((await devices).exitCode, 0);
  const { keys } = JSON.parse(await folder.text('project/ota.config.json'));
  t.deepEqual(
    keys.map(({ name, role }: Record<string, string>) => [name, role]),
    [
      ['main', 'retired'],
      ['vault', 'signing'],
    ],
  );
});
