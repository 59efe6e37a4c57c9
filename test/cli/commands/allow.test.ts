import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { type Manifest, readManifest } from '../../../src/core/model/manifest.ts';
import { scriptedServer } from '../../api/client/scripted-server.ts';
import { door } from '../../support/built-sketch.ts';
import { listed, packedDoor, restarted, updatesOf, virtualDoor } from '../../support/fleet.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import type { TestFolder } from '../../support/test-folder.ts';

const image = 'build/door.ino.bin';
const reason = 'The devices run other firmware until the first update.';
const warning = /warning: the project allows the rule other-project: The devices run other firmware/;

function run(folder: TestFolder, ...argv: string[]): Promise<CommandRun> {
  return runCommand(argv, { cwd: folder.path });
}

async function manifestOf(folder: TestFolder): Promise<Manifest> {
  return readManifest(await folder.text(`${image}.ota.json`), image);
}

/** A packed build for the board `d1_mini`, and a device with a different board. */
async function otherBoard(t: ExecutionContext, config: Readonly<Record<string, unknown>>) {
  const device = await virtualDoor(t);
  const devices = { door: listed(device, { board: 'nodemcuv2' }) };
  return { device, folder: await packedDoor(t, devices, { board: 'd1_mini', ...config }) };
}

test('a rule that the configuration allows is a warning on every build and upload, with the reason in the manifest', async (t) => {
  const { device, folder } = await otherBoard(t, { allow: { 'other-project': reason } });
  const packed = await run(folder, 'pack', image);
  t.is(packed.exitCode, 0, packed.stderr);
  t.regex(packed.stderr, warning);
  t.deepEqual((await manifestOf(folder)).allowedRules, [{ rule: 'other-project', reason }]);
  const { exitCode, stderr } = await run(folder, 'upload', image, '--all');
  t.is(exitCode, 0, stderr);
  t.is(stderr.match(new RegExp(warning, 'g'))?.length, 1, stderr);
  t.regex(stderr, /warning: door: .*nodemcuv2.*\(other-project\)/);
  await restarted(device);
});

test('a rule passed with --project-allow applies to uploads of the build through its manifest', async (t) => {
  const { device, folder } = await otherBoard(t, {});
  t.is((await run(folder, 'upload', image, '--all')).exitCode, 3);
  const packed = await run(folder, 'pack', image, '--project-allow', `other-project: ${reason}`);
  t.regex(packed.stderr, warning);
  const { exitCode, stderr } = await run(folder, 'upload', image, '--all');
  t.is(exitCode, 0, stderr);
  t.regex(stderr, warning);
  await restarted(device);
});

test('a project cannot allow rules about proof, keys and signatures, or rules that do not exist', async (t) => {
  const { device, folder } = await otherBoard(t, {});
  for (const rule of ['wrong-key', 'enforcement-unproven', 'embedded-key-missing', 'everything']) {
    await folder.write('ota.config.json', JSON.stringify({ allow: { [rule]: 'trust me' } }));
    const { error } = await run(folder, 'pack', image);
    t.is(error?.code, 'CONFIG_INVALID', rule);
    t.regex(error?.message ?? '', new RegExp(`allow\\.${rule} is not a rule that a project can allow`));
    await folder.write('ota.config.json', '{}');
    t.is((await run(folder, 'pack', image, '--project-allow', `${rule}: trust me`)).exitCode, 2, rule);
  }
  await folder.write('ota.config.json', JSON.stringify({ allow: { 'no-ota': ' ' } }));
  t.regex((await run(folder, 'pack', image)).error?.message ?? '', /must be a string with the reason/);

  await folder.write('ota.config.json', '{}');
  t.is((await run(folder, 'pack', image)).exitCode, 0);
  const forged = { ...(await manifestOf(folder)), allowedRules: [{ rule: 'wrong-key', reason: 'trust me' }] };
  await folder.write(`${image}.ota.json`, JSON.stringify(forged));
  const key = ['--signing', 'required', '--key-fingerprint', 'f'.repeat(64), '--core', '3.1.2'];
  const { address } = { address: `${device.host}:${device.otaPort}` };
  const upload = await run(folder, 'upload', image, '--host', address, ...key);
  t.regex(upload.error?.message ?? '', /wrong-key/);
  t.notRegex(upload.stderr, /the project allows/);
  t.deepEqual(updatesOf(device), []);
});

test('publish requests only the allowed rules that block the release', async (t) => {
  const sketch = { ...door, bin: Buffer.concat([gzipSync(door.bin), Buffer.from('more')]) };
  const allow = { 'other-project': reason, 'trailing-data': 'The loader of this device ignores the data.' };
  const folder = await packedDoor(t, {}, { allow, version: '1.0.0' }, sketch);
  const bodies: string[] = [];
  const server = await scriptedServer(t, ({ method, path, body, headers }) => {
    if (method === 'POST') {
      bodies.push(body.toString());
      return { status: 201, json: { outcome: 'published', release: { channels: ['stable'] }, warnings: [] } };
    }
    const offset = method === 'PATCH' ? Number(headers['upload-offset']) + body.length : 0;
    const complete = offset === Number(headers['upload-length']);
    return { status: 200, json: { sha256: path.slice(-64), offset, complete } };
  });
  const publish = ['publish', image, '--to', server.url.href];
  const { exitCode, stderr, error } = await runCommand(publish, { cwd: folder.path, env: { OTA_TOKEN: 'token' } });
  t.is(exitCode, 0, error?.message ?? stderr);
  t.deepEqual(
    bodies.map((body) => JSON.parse(body).allow),
    [['trailing-data']],
  );
});
