/** Runs the commands of the rotation in docs/keys.md with a server and the update checks of a fleet, and compares their output with the page. */
import test from 'ava';
import { readPublicKey } from '../../src/core/keys/public-key.ts';
import { readManifest } from '../../src/core/model/manifest.ts';
import { syntheticSketch } from '../../src/simulator/synthetic-sketch.ts';
import { sketchMd5Of } from '../server/builds.ts';
import { requestAsDevice } from '../server/raw-device.ts';
import { startTestServer } from '../server/running-server.ts';
import { door } from '../support/built-sketch.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { readPage } from './pages.ts';

const mainKey = readPublicKey(door.publicPem, 'public.key');
const image = 'build/door.ino.bin';
const fleet = 20;

/** Returns the command blocks of the section, each with the output that the page shows for it. */
function blocks(): readonly { readonly commands: readonly string[]; readonly shown: readonly string[] }[] {
  const [, section = ''] = readPage('docs/keys.md').text.split(/^## Rotation\n/m);
  const [text = ''] = section.split(/^## /m);
  return [...text.matchAll(/```sh\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map(([, commands = '', shown = '']) => ({
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
  const md5 = async () => sketchMd5Of(readManifest(await folder.text(`project/${image}.ota.json`), image));
  /** All devices request an update, and return the version that they are sent. */
  const checkIn = async (sketchMd5: string) => {
    const sent = new Set<string | undefined>();
    for (let number = 10; number < 10 + fleet; number += 1) {
      const device = { mac: `18:FE:34:00:00:${number}`, sketchMd5 };
      sent.add((await requestAsDevice(server.port, '/update/door', device)).header('x-version'));
    }
    return [...sent].join();
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

  let runs = await md5();
  t.is(await checkIn(runs), '', 'the devices run 1.0');
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
      t.is(await checkIn(runs), commands[0]?.includes('1.1') ? '1.1' : '1.2', 'the devices are sent the release');
      runs = await md5();
      t.is(await checkIn(runs), '', 'the devices run the release');
    }
    const lines = output.split('\n').map(comparable);
    for (const line of shown.map(comparable)) t.true(lines.includes(line), `${line}\n\n${lines.join('\n')}`);
  }
  const { keys } = JSON.parse(await folder.text('project/ota.config.json'));
  t.deepEqual(
    keys.map(({ name, role }: Record<string, string>) => [name, role]),
    [
      ['main', 'retired'],
      ['vault', 'signing'],
    ],
  );
});
