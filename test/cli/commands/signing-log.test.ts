/** Runs the commands of "Record of signatures" in docs/keys.md. */
import { createHash } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import test from 'ava';
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
