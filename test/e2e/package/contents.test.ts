/** Contents of the npm package, and its dependencies. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { documents } from '../../../src/cli/output/documents/registry.ts';
import { schemaFile } from '../../../src/cli/output/json-schemas.ts';
import { repository } from '../../docs/pages.ts';
import { makePlace } from '../newcomer/place.ts';

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as Manifest;

async function packedPaths(): Promise<readonly string[]> {
  const { stdout } = await execa('npm', ['pack', '--json', '--dry-run', '--ignore-scripts'], { cwd: repository });
  const [packed] = JSON.parse(stdout) as readonly { readonly files: readonly { readonly path: string }[] }[];
  return packed?.files.map(({ path }) => path) ?? [];
}

test('contains only the build, hooks, templates, example configuration and documentation', async (t) => {
  const paths = await packedPaths();
  t.deepEqual([...new Set(paths.map((path) => path.replace(/\/.*/, '')))].sort(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'hooks',
    'ota.config.example.json',
    'package.json',
    'templates',
  ]);
  const built =
    /^dist\/(?:cli\.js|index\.js|(?:pack|preflight|upload|simulator)\.js|chunks\/[\w-]+\.js|types\/[\w/.-]+\.d\.ts|schema\/(?:output\/)?[\w.-]+\.json|licenses\.txt)$/;
  t.deepEqual(
    paths.filter((path) => path.startsWith('dist/') && !built.test(path)),
    [],
  );
  t.true(paths.includes('dist/schema/ota.config.schema.json'));
  // Only files that git tracks: no Python cache, and no key left over from trying out a template.
  const { stdout } = await execa('git', ['ls-files', 'hooks', 'templates'], { cwd: repository });
  t.deepEqual(paths.filter((path) => /^(?:hooks|templates)\//.test(path)).sort(), stdout.split('\n').sort());
});

test('contains every file that package.json names, and has no install scripts', async (t) => {
  const paths = await packedPaths();
  t.true(exported().length > 3);
  for (const path of [...Object.values(manifest.bin), ...exported()]) {
    const [before = '', behind] = path.replace('./', '').split('*');
    const isThere = (packed: string) =>
      behind === undefined ? packed === before : packed.startsWith(before) && packed.endsWith(behind);
    t.true(paths.some(isThere), path);
  }
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) t.false(script in manifest.scripts, script);
});

function exported(): readonly string[] {
  return Object.values(manifest.exports).flatMap((each) => (typeof each === 'string' ? [each] : Object.values(each)));
}

interface Installed {
  readonly hasInstallScript?: boolean;
}

test.serial(
  'installs only runtime dependencies into an empty project, without native code or install scripts',
  async (t) => {
    const place = await makePlace(t);
    for (const command of ['npm init --yes', 'npm install --save-dev ota-hooks']) {
      const run = await place.follow({ act: 'run', command });
      t.is(run?.exitCode, 0, run?.output);
    }
    const modules = join(place.folder, 'node_modules');
    const { packages } = JSON.parse(await readFile(join(modules, '.package-lock.json'), 'utf8')) as {
      packages: Readonly<Record<string, Installed>>;
    };
    const names = Object.keys(packages).map((path) =>
      path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
    );
    for (const name of Object.keys(manifest.dependencies)) t.true(names.includes(name), name);
    const others = [manifest.peerDependencies, manifest.devDependencies].flatMap(Object.keys);
    t.deepEqual(
      names.filter((name) => others.includes(name)),
      [],
    );
    t.deepEqual(
      Object.keys(packages).filter((path) => packages[path]?.hasInstallScript),
      [],
    );
    const files = (await readdir(modules, { recursive: true })).filter((path) => /(?:\.node|binding\.gyp)$/.test(path));
    t.deepEqual(files, []);
    t.true(existsSync(join(modules, '.bin', 'ota-hooks')));
    // Schemas for the --json output of commands.
    const require = createRequire(join(place.folder, 'any.js'));
    for (const command of Object.keys(documents)) {
      const schema = require(`ota-hooks/schema/${schemaFile(command)}`) as object;
      t.true('$schema' in schema, command);
    }
  },
);
