/** Compares the version that is read from the tag of a commit with the version of `git describe`. */
import { appendFile } from 'node:fs/promises';
import test from 'ava';
import { versionOfTag } from '../../../src/project/build/source-tag.ts';
import { repository } from './repository.ts';

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
