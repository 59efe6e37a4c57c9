import { deflateSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { resolveFirmwareVersion } from '../../../src/project/build/firmware-version.ts';
import { projectSettings } from '../../../src/project/config/settings.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';
import { noWords } from '../../support/user-words.ts';

/** Resolves the version of a project with these files. */
async function versionOf(
  t: ExecutionContext,
  version: unknown,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  env: Readonly<Record<string, string>> = {},
  option?: string,
): Promise<string | undefined> {
  const folder = await testFolder(t, { ...files, 'ota.config.json': JSON.stringify({ version }) });
  return resolveFirmwareVersion(option, await projectSettings({}, folder.path, noWords), env);
}

test('resolveFirmwareVersion uses the option, the configuration or its environment variable', async (t) => {
  t.is(await versionOf(t, '9', {}, {}, '1.2.3'), '1.2.3');
  t.is(await versionOf(t, '1.2.4'), '1.2.4');
  t.is(await versionOf(t, { env: 'VERSION' }, {}, { VERSION: '1.2.5' }), '1.2.5');
  t.is(await versionOf(t, undefined), undefined);
  const error = await expectOtaError(t, 'SECRET_MISSING', () => versionOf(t, { env: 'VERSION' }));
  t.is(error.message, 'The environment variable VERSION is not set: it must contain the firmware version');
});

test('resolveFirmwareVersion reads a version file, and no other file of the project', async (t) => {
  t.is(await versionOf(t, { file: 'VERSION' }, { VERSION: '\uFEFF1.2.6\r\n' }), '1.2.6');
  t.is(await versionOf(t, { file: 'door/version.txt' }, { 'door/version.txt': '1.2.7' }), '1.2.7');
  await expectOtaError(t, 'FILE_UNREADABLE', () => versionOf(t, { file: 'VERSION' }));
  await expectOtaError(t, 'FILE_UNREADABLE', () => versionOf(t, { file: 'VERSION' }, { VERSION: '1'.repeat(300) }));
  for (const file of ['door.password', '.env', '../VERSION', '.git/VERSION']) {
    await expectOtaError(t, 'SECRET_RESERVED', () => versionOf(t, { file }, { 'door.password': 'x', '.env': 'x' }));
  }
});

const id = 'a1'.repeat(20);
const other = 'b2'.repeat(20);
const repository = { '.git/objects/.keep': '', '.git/HEAD': `${id}\n` };

const tags: Readonly<
  Record<string, { files: Readonly<Record<string, string | Uint8Array>>; expected: string | undefined }>
> = {
  'reads a tag and removes its v': { files: { '.git/refs/tags/v1.2.0': id }, expected: '1.2.0' },
  'reads a tag without a v': { files: { '.git/refs/tags/1.2.0': `${id}\n` }, expected: '1.2.0' },
  'reads a packed tag': { files: { '.git/packed-refs': `${id} refs/tags/v1.2.0\n` }, expected: '1.2.0' },
  'reads a packed annotated tag': {
    files: { '.git/packed-refs': `# pack-refs with: peeled\n${other} refs/tags/v1.2.0\n^${id}\n` },
    expected: '1.2.0',
  },
  'prefers a loose tag to a packed tag of the same name': {
    files: { '.git/packed-refs': `${id} refs/tags/v1.2.0\n`, '.git/refs/tags/v1.2.0': other },
    expected: undefined,
  },
  'ignores tags of other commits': { files: { '.git/refs/tags/v1.2.0': other }, expected: undefined },
  'ignores tags that name no version': {
    files: { '.git/refs/tags/nightly': id, '.git/refs/tags/version-1': id },
    expected: undefined,
  },
  'chooses the highest of several versions': {
    files: Object.fromEntries(
      ['v1.9.0', 'v1.10.0-rc.2', 'v1.10.0', 'v1.10.0-rc.10'].map((name) => [`.git/refs/tags/${name}`, id]),
    ),
    expected: '1.10.0',
  },
  'chooses the highest release candidate': {
    files: { '.git/refs/tags/v2.0.0-rc.2': id, '.git/refs/tags/v2.0.0-rc.10': id },
    expected: '2.0.0-rc.10',
  },
  'reads an annotated tag': {
    files: {
      '.git/refs/tags/v1.2.0': other,
      [`.git/objects/b2/${other.slice(2)}`]: deflateSync(`tag 99\0object ${id}\ntype commit\ntag v1.2.0\n`),
    },
    expected: '1.2.0',
  },
  'ignores a tag object that is damaged': {
    files: { '.git/refs/tags/v1.2.0': other, [`.git/objects/b2/${other.slice(2)}`]: 'not zlib data' },
    expected: undefined,
  },
};

for (const [what, { files, expected }] of Object.entries(tags)) {
  test(`resolveFirmwareVersion ${what}`, async (t) => {
    t.is(await versionOf(t, { git: 'tag' }, { ...repository, ...files }), expected);
  });
}
