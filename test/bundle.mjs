/**
 * Bundles the tests into build/tests once, so that a test file starts without compiling TypeScript or loading hundreds of modules.
 *
 *     node test/bundle.mjs            unit tests
 *     node test/bundle.mjs e2e        end-to-end tests as well
 */
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import fastGlob from 'fast-glob';
import { rolldown } from 'rolldown';
import { workerEntries } from '../rolldown.worker-entries.mjs';

const folder = 'build/tests';
const isWithE2e = process.argv[2] === 'e2e';
const sources = fastGlob.sync('test/**/*.test.ts', { ignore: isWithE2e ? [] : ['test/e2e/**'] });
/** Rooms of many small files: `npm test` runs each in one process, `npm test -- FILE` a file by itself. */
const rooms = [
  ...['cli/commands', 'docs', 'errors', 'files', 'templates'],
  ...['compression', 'device-model', 'firmware', 'keys', 'model', 'pack', 'preflight', 'signing'].map(
    (name) => `core/${name}`,
  ),
  ...['delivery/espota', 'delivery/web', 'delivery'],
  ...['build', 'config', 'doctor', 'init', 'keys'].map((name) => `project/${name}`),
];
/** What waits or changes its process stays alone: AVA starts when the first test of a file is declared. */
const alone = [
  ...[
    'discover',
    'doctor',
    'espota',
    'init',
    'keygen',
    'publish',
    'server',
    'server-rollout',
    'upload',
    'upload-proof',
  ].map((name) => `cli/commands/${name}`),
  ...['core/preflight/plan', 'delivery/confirm', 'delivery/discovery', 'delivery/espota/schedule'],
  ...['errors/every-error', 'project/config/load'],
].map((name) => `${name}.test`);

rmSync(folder, { recursive: true, force: true });
const names = sources.map((path) => path.replace(/^test\//, '').replace(/\.ts$/, ''));
const unitTests = names.filter((name) => !name.startsWith('e2e/'));
/** The file of a whole run that holds this one. */
const suiteFile = (name) => {
  const room = alone.includes(name) ? undefined : rooms.find((room) => name.startsWith(`${room}/`));
  return room ? `${room}.test` : name;
};
const bundle = await rolldown({
  input: {
    ...Object.fromEntries(names.map((name) => [`files/${name}`, `test/${name}.ts`])),
    ...Object.fromEntries(unitTests.map((name) => [`suite/${suiteFile(name)}`, `suite:${suiteFile(name)}`])),
  },
  platform: 'node',
  external: isInstalledPackage,
  plugins: [workerEntries(), sourceLocations(), suite()],
  transform: { target: 'node20.19' },
  onLog(level, log) {
    if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') console.error(`${level}: ${log.message}`);
  },
});
await bundle.write({
  dir: folder,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  sourcemap: true,
});
await bundle.close();

/** Packages stay where they are, but for those of many files, which would be loaded one by one in every test. */
function isInstalledPackage(id) {
  // @oxc-project: helpers of rolldown for syntax that Node 20 lacks.
  return /^[@a-z]/.test(id) && !/^(kysely|execa|hono|@hono\/node-server|prom-client|@oxc-project)($|\/)/.test(id);
}

/** Fixtures, documents and the CLI are found from a test's own place in test/, wherever its code runs. */
function sourceLocations() {
  const expression = 'import.meta.url';
  const located = (code, id) => code.replaceAll(expression, JSON.stringify(pathToFileURL(id).href));
  return {
    name: 'source-locations',
    transform: {
      filter: { code: expression, id: /[\\/](test|docs)[\\/].*\.ts$/ },
      // Lines stay where they are, so the source map stays right.
      handler: (code, id) => ({ code: located(code, id), map: null }),
    },
  };
}

/** The files of a whole run: a room's tests together, every other file by itself. */
function suite() {
  return {
    name: 'suite',
    resolveId: (id) => (id.startsWith('suite:') ? id : null),
    load(id) {
      if (!id.startsWith('suite:')) return null;
      const wanted = id.slice('suite:'.length);
      return unitTests
        .filter((name) => suiteFile(name) === wanted)
        .map((name) => `import ${JSON.stringify(resolve('test', `${name}.ts`))};`)
        .join('\n');
    },
  };
}
