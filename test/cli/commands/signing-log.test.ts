/** Signing log: who writes it, and what a check finds. */
import { createHash } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { recordSignatures } from '../../../src/project/record/signing-log.ts';
import { door } from '../../support/built-sketch.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const place = (t: Parameters<typeof testFolder>[0]) =>
  testFolder(t, {
    'project/private.key': door.privatePem,
    'project/public.key': door.publicPem,
    'project/sketch.bin': door.bin,
    'project/sketch.elf': door.elf,
    'project/any.bin': 'any file',
  });

const path = 'home/.local/share/ota-hooks/signing-log.jsonl';
const github = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'ada/door', GITHUB_RUN_ID: '17' };

function run(folder: TestFolder, argv: string, env: Readonly<Record<string, string>> = {}) {
  const named = { OTA_SIGNING_LOG: '', XDG_DATA_HOME: folder.at('home/.local/share'), ...env };
  return runCommand(argv.split(' '), { cwd: folder.at('project'), home: folder.at('home'), env: named });
}

const pack = 'pack sketch.bin --project door --firmware-version 1.2.0';
const linesOf = async (folder: TestFolder) => (await folder.text(path)).trimEnd().split('\n');

test('pack, sign and signing record each signed file in the log of the user, outside the source tree', async (t) => {
  const folder = await place(t);
  const before = (await folder.list()).filter((name) => name.startsWith('project/'));
  t.is((await run(folder, pack, github)).error, undefined);
  t.is((await run(folder, 'sign --bin any.bin')).error, undefined);
  t.is((await run(folder, 'signing -m sign -s private.key -b any.bin -o any.signed')).error, undefined);
  t.is((await run(folder, 'pack sketch.bin --unsigned')).error, undefined);
  t.is((await run(folder, 'sign --manifest sketch.bin.ota.json')).error, undefined);
  const entries = (await linesOf(folder)).map((line) => JSON.parse(line));
  t.deepEqual(
    entries.map(({ entry, file }) => [entry, file]),
    [
      [1, 'sketch.bin.signed'],
      [2, 'sketch.bin.gz.signed'],
      [3, 'any.bin.signed'],
      [4, 'any.signed'],
      [5, 'sketch.bin.signed'],
      [6, 'sketch.bin.gz.signed'],
    ],
  );
  const sha256 = createHash('sha256')
    .update(await folder.read('project/sketch.bin.signed'))
    .digest('hex');
  const { project, version, securityVersion, by } = entries[0];
  t.deepEqual(
    { project, version, securityVersion, by },
    { project: 'door', version: '1.2.0', securityVersion: 0, by: 'https://github.com/ada/door/actions/runs/17' },
  );
  t.is(entries[4].sha256, sha256);
  t.regex(entries[2].by, /^.+@.+$/);
  t.false((await folder.text(path)).includes('PRIVATE KEY'));
  const added = (await folder.list()).filter((name) => name.startsWith('project/') && !before.includes(name));
  t.false(added.some((name) => name.includes('log')));
});

test('keys log verify finds a changed, removed, inserted and reordered entry', async (t) => {
  const folder = await place(t);
  for (let count = 0; count < 2; count += 1) await run(folder, pack);
  const good = await run(folder, 'keys log verify');
  t.is(good.error, undefined);
  t.regex(good.stdout, /signing-log\.jsonl: 4 entries, head 4:[0-9a-f]{64}\n$/);
  const lines = await linesOf(folder);
  const [one = '', two = '', three = '', four = ''] = lines;
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[one, two.replace('1.2.0', '1.3.0'), three, four], 2, /does not match its hash/],
    [[one, two.replace('"file":', '"file":"other.signed","file":'), three, four], 2, /does not match its hash/],
    [[one, three, four], 2, /does not follow the entry before/],
    [[two, three, four], 1, /does not follow/],
    [[one, three, two, four], 2, /does not follow/],
    [[one, two, two, three], 3, /does not follow/],
    [[one, 'garbage', three], 2, /is not an entry/],
    [[one, two, three.slice(0, 50)], 3, /is not an entry/],
  ];
  for (const [changed, entry, problem] of cases) {
    await folder.write(path, `${changed.join('\n')}\n`);
    const { error } = await run(folder, 'keys log verify');
    t.is(error?.code, 'SIGNING_LOG_BROKEN');
    t.true(error?.message.includes(`entry ${entry} is invalid`), error?.message);
    t.regex(error?.message ?? '', problem);
  }
});

test('keys log verify --head finds a log that was rewritten or shortened as a whole', async (t) => {
  const folder = await place(t);
  for (let count = 0; count < 2; count += 1) await run(folder, pack);
  const [, head = ''] = / head (\S+)\n/.exec((await run(folder, 'keys log verify')).stdout) ?? [];
  const original = await folder.text(path);
  await run(folder, pack);
  t.is((await run(folder, `keys log verify --head ${head}`)).error, undefined, 'later entries are allowed');

  await folder.write(path, `${original.split('\n').slice(0, 3).join('\n')}\n`);
  t.is((await run(folder, 'keys log verify')).error, undefined, 'a shortened chain is valid in itself');
  t.regex((await run(folder, `keys log verify --head ${head}`)).error?.message ?? '', /it has no entry 4$/);

  await folder.write(path, '');
  for (let count = 0; count < 2; count += 1) await run(folder, pack);
  t.is((await run(folder, 'keys log verify')).error, undefined, 'a rewritten chain is valid in itself');
  const { error } = await run(folder, `keys log verify --head ${head}`);
  t.is(error?.code, 'SIGNING_LOG_REWRITTEN');
  t.regex(error?.message ?? '', /entry 4 has a different hash$/);
  t.is((await run(folder, 'keys log verify --head 4')).error?.code, 'OPTION_INVALID');
});

test('commands that sign at the same time write one chain', async (t) => {
  const folder = await place(t);
  const runs = await Promise.all(Array.from({ length: 8 }, (_, at) => run(folder, `sign --bin any.bin --out ${at}`)));
  t.true(runs.every(({ error }) => error === undefined));
  t.regex((await run(folder, 'keys log verify')).stdout, /: 8 entries, head 8:/);
});

test('a lock that a killed command left behind is removed, even after the clock was set back', async (t) => {
  const folder = await place(t);
  for (const hours of [-1, 1]) {
    await folder.write(`${path}.lock`, '');
    const time = new Date(Date.now() + hours * 3_600_000);
    await utimes(folder.at(`${path}.lock`), time, time);
    t.is((await run(folder, 'sign --bin any.bin')).error, undefined);
    t.false((await folder.list()).includes(`${path}.lock`));
  }
});

test('the log contains no passphrase and no argument of a signer', async (t) => {
  const folder = await place(t);
  const program = fileURLToPath(new URL('../../support/signer-program.mjs', import.meta.url));
  const command = JSON.stringify([process.execPath, program, folder.at('project/private.key'), 'digest', 'pin-4711']);
  const signer = { OTA_SIGNER_COMMAND: command, OTA_PASSPHRASE: 'correct horse battery' };
  t.is((await run(folder, 'sign --bin any.bin', signer)).error, undefined);
  const text = await folder.text(path);
  t.notRegex(text, /4711|horse|PRIVATE/);
  t.is(text.split('\n').length, 2);
});

test('commands that find the same abandoned lock write one chain', async (t) => {
  const folder = await place(t);
  await folder.write(`${path}.lock`, '');
  await utimes(folder.at(`${path}.lock`), 0, 0);
  const facts = { file: 'any.bin', sha256: 'ab'.repeat(32), key: 'cd'.repeat(32) };
  await Promise.all(Array.from({ length: 32 }, () => recordSignatures(folder.at(path), [facts], 'ada@desk')));
  t.regex((await run(folder, 'keys log verify')).stdout, /: 32 entries, head 32:/);
  t.deepEqual(
    (await folder.list()).filter((name) => name.includes('.lock')),
    [],
  );
});

test('the next signature replaces an entry that a killed command left incomplete', async (t) => {
  const folder = await place(t);
  const sign = () => run(folder, 'sign --bin any.bin', { OTA_SIGNING_LOG: folder.at(path) });
  t.is((await sign()).error, undefined);
  const complete = await folder.text(path);
  for (const length of [1, 20, 200, complete.length - 1]) {
    await folder.write(path, `${complete}${complete.slice(0, length)}`);
    const cutOff = await run(folder, 'keys log verify');
    t.is(cutOff.error, undefined);
    t.regex(cutOff.stderr, /^warning: .* ends with part of an entry/m);
    t.is((await sign()).error, undefined);
    const after = await run(folder, 'keys log verify');
    t.regex(after.stdout, /: 2 entries, head 2:/);
    t.is(after.stderr, '');
  }
  await folder.write(path, complete.slice(0, 200));
  t.is((await sign()).error, undefined, 'the first entry is incomplete');
  t.regex((await run(folder, 'keys log verify')).stdout, /: 1 entry, head 1:/);
});

test('a file that is no signing log is never changed', async (t) => {
  const folder = await place(t);
  for (const text of ['a letter', 'a letter\n', '{"log": 5}', `${'x'.repeat(9000)}\n{"other": 1}`]) {
    await folder.write('letter.txt', text);
    const { error } = await run(folder, 'sign --bin any.bin', { OTA_SIGNING_LOG: folder.at('letter.txt') });
    t.is(error?.code, 'SIGNING_LOG_BROKEN');
    t.is(await folder.text('letter.txt'), text);
  }
});

test('signing reads only the end of the log, whatever the length of its lines', async (t) => {
  const folder = await place(t);
  const facts = (length: number) => ({ file: 'x'.repeat(length), sha256: 'ab'.repeat(32), key: 'cd'.repeat(32) });
  for (const length of [1, 3600, 4096, 20_000, 5]) await recordSignatures(folder.at(path), [facts(length)], 'ada@desk');
  t.regex((await run(folder, 'keys log verify')).stdout, /: 5 entries, head 5:/);
  const lines = await linesOf(folder);
  await folder.write(path, `${['changed', ...lines.slice(1)].join('\n')}\n`);
  t.is((await run(folder, 'sign --bin any.bin', { OTA_SIGNING_LOG: folder.at(path) })).error, undefined);
  t.is((await linesOf(folder)).length, 6);
  const { error } = await run(folder, 'keys log verify');
  t.regex(error?.message ?? '', /entry 1 is invalid/, 'only the check reads all entries');
});

test('a log that cannot be written is an error if its path was chosen, and otherwise a warning', async (t) => {
  const folder = await place(t);
  await folder.write('home/.local/share/ota-hooks', 'a file in place of the folder');
  const warned = await run(folder, 'sign --bin any.bin');
  t.is(warned.error, undefined);
  t.regex(warned.stderr, /^warning: the signatures were not recorded: /m);
  const chosen = await run(folder, 'sign --bin any.bin', {
    OTA_SIGNING_LOG: folder.at('home/.local/share/ota-hooks/log'),
  });
  t.is(chosen.error?.code, 'FILE_UNWRITABLE');
  t.false((await folder.list()).includes('project/any.bin.signed'), 'nothing is written without its record');
  const off = await run(folder, 'sign --bin any.bin', { OTA_SIGNING_LOG: 'off' });
  t.is(off.error, undefined);
  t.notRegex(off.stderr, /not recorded/);
});
