/** Compares the version that is read from the tag of a commit with the version of `git describe`. */
import { appendFile, chmod } from 'node:fs/promises';
import test from 'ava';
import { versionOfTag } from '../../../src/project/build/source-tag.ts';
import { repository } from './repository.ts';

test('versionOfTag reads an annotated tag whose object git fetch left in a pack', async (t) => {
  for (const format of ['sha1', 'sha256']) {
    const folder = await repository(t, { 'door/door.ino': '' }, `--object-format=${format}`);
    await folder.git('add', 'door');
    await folder.git('commit', '-m', 'door');
    await folder.git('tag', '-a', '-m', 'first', 'v1.1.0');
    await folder.git('commit', '-m', 'next', '--allow-empty');
    await folder.git('tag', '-a', '-m', 'release', 'v1.2.0');
    await folder.git('clone', '--quiet', '--no-tags', `file://${folder.path}`, 'clone');
    // With few objects, git unpacks what it fetches unless it is told not to.
    await folder.gitIn(
      'clone',
      '-c',
      'fetch.unpackLimit=1',
      'fetch',
      '--quiet',
      'origin',
      'tag',
      'v1.2.0',
      'tag',
      'v1.1.0',
    );
    const id = (await folder.gitIn('clone', 'rev-parse', 'v1.2.0')).trim();
    const names = await folder.list();
    t.false(names.includes(`clone/.git/objects/${id.slice(0, 2)}/${id.slice(2)}`));
    t.true(names.includes('clone/.git/refs/tags/v1.2.0'));
    t.is(versionOfTag(folder.at('clone')), '1.2.0', format);
    // A damaged index or pack is as if the tag did not exist.
    for (const name of names.filter((each) => /^clone\/\.git\/objects\/pack\/.*\.(?:idx|pack)$/.test(each))) {
      const content = await folder.read(name);
      await chmod(folder.at(name), 0o600);
      for (const damaged of [content.subarray(0, 1100), Buffer.alloc(content.length, 0xff), Buffer.alloc(0)]) {
        await folder.write(name, damaged);
        t.notThrows(() => versionOfTag(folder.at('clone')));
      }
      await folder.write(name, content);
    }
    t.is(versionOfTag(folder.at('clone')), '1.2.0');
  }
});

for (const [kind, options] of [
  ['lightweight', []],
  ['annotated', ['-a', '-m', 'release']],
] as const) {
  test(`versionOfTag reads the ${kind} tag of a new commit, a clone, a shallow clone and a linked work tree`, async (t) => {
    const folder = await repository(t, { 'door/door.ino': '' });
    await folder.git('add', 'door');
    await folder.git('commit', '-m', 'door');
    t.is(versionOfTag(folder.at('door')), undefined);
    await folder.git('tag', ...options, 'v1.2.0');
    t.is(versionOfTag(folder.at('door')), '1.2.0');
    await folder.git('clone', '--quiet', '.', 'clone');
    t.is(versionOfTag(folder.at('clone')), '1.2.0');
    await folder.git('clone', '--quiet', '--depth', '1', '--branch', 'v1.2.0', `file://${folder.path}`, 'shallow');
    t.is(versionOfTag(folder.at('shallow')), '1.2.0');
    await folder.git('worktree', 'add', '--quiet', 'linked', 'v1.2.0');
    t.is(versionOfTag(folder.at('linked')), '1.2.0');
    await folder.git('gc', '--quiet');
    t.is(versionOfTag(folder.path), '1.2.0');
    await appendFile(folder.at('door/door.ino'), 'void setup() {}');
    await folder.git('commit', '--quiet', '-am', 'next');
    t.is(versionOfTag(folder.path), undefined);
  });
}
