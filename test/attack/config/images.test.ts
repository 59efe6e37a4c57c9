/** The configuration of a source tree names images outside the tree, or patterns that expand endlessly. */
import { mkdir, symlink } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { packedDoor } from '../../support/fleet.ts';
import { runCommand } from '../../support/run-command.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { startListener } from './basic-auth-listener.ts';

/** An untrusted tree with these patterns, and the user's packed project. */
async function trees(t: ExecutionContext, images: readonly string[] | undefined) {
  const listener = await startListener(t);
  const device = { address: '127.0.0.1', port: listener.port, method: 'web' };
  const own = await packedDoor(t, {});
  const tree = await packedDoor(t, { door: device });
  const config = JSON.parse(await tree.text('ota.config.json'));
  const given = images?.map((pattern) => pattern.replace('OWN', own.path));
  await tree.write('ota.config.json', JSON.stringify({ ...config, ...(given && { images: given }) }));
  await mkdir(tree.at('www'));
  const run = (...argv: string[]) => runCommand(argv, { cwd: tree.path, home: own.path });
  const commands = [
    () => run('upload', '--all'),
    () => run('publish', '--to', './www', '--project', 'door', '--firmware-version', '1.0.0'),
    () => run('pack', '--unsigned'),
  ];
  return { listener, own, tree, commands };
}

const foreign = ['OWN/build/*.bin', '../*/build/*.bin', '/**/*.nope', 'link/*', 'build/link/*.bin', 'build/../../*/*'];
for (const pattern of foreign) {
  test(`prevents a project configuration from selecting images with the pattern ${pattern}`, async (t) => {
    const { listener, own, tree, commands } = await trees(t, [pattern]);
    await symlink(own.at('build'), tree.at('link'));
    await symlink(own.at('build'), tree.at('build/link'));
    for (const command of commands) {
      const { error } = await command();
      t.is(error?.code, 'CONFIG_INVALID', error?.message);
      t.regex(error?.message ?? '', /outside the project/);
    }
    t.is(listener.requests(), 0);
    t.false((await tree.list()).some((path) => path.startsWith('www/')));
    countAttacks({ kind: 'images outside the project', tried: commands.length, withstood: commands.length });
  });
}

for (const pattern of [
  '{a,b}'.repeat(25),
  '{1..9}{1..9}{1..9}{a,b,c,d,e,f,g,h,i,j,k}{l,m,n,o,p,q,r,s,t,u,v,w}{1..9}{1..9}{x,y,z}{x,y,z}',
]) {
  test(`rejects the pattern ${pattern.slice(0, 20)}…`, async (t) => {
    for (const command of (await trees(t, [pattern])).commands) {
      const { error } = await command();
      t.is(error?.code, 'CONFIG_INVALID');
      t.regex(error?.message ?? '', /alternatives in braces/);
    }
    countAttacks({ kind: 'endless patterns', tried: 3, withstood: 3 });
  });
}

test('finds a build next to links to parent folders with the default pattern and with common patterns', async (t) => {
  for (const images of [undefined, ['build/**/*.bin'], ['{build,.pio/build}/*.bin']]) {
    const { tree, commands } = await trees(t, images);
    for (const name of ['one', 'two', 'three']) await symlink('..', tree.at(`build/${name}`));
    const [, publish] = commands;
    const run = await publish?.();
    t.is(run?.error?.message, undefined);
  }
});
