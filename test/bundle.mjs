/**
 * Bundles the tests into build/tests once, so that a test file starts without compiling TypeScript or loading hundreds of modules.
 *
 *     node test/bundle.mjs            unit tests
 *     node test/bundle.mjs e2e        end-to-end tests as well
 */
import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import fastGlob from 'fast-glob';
import { rolldown } from 'rolldown';
import { workerEntries } from '../rolldown.worker-entries.mjs';

const folder = 'build/tests';
const isWithE2e = process.argv[2] === 'e2e';
const sources = fastGlob.sync('test/**/*.test.ts', { ignore: isWithE2e ? [] : ['test/e2e/**'] });

rmSync(folder, { recursive: true, force: true });
const bundle = await rolldown({
  input: Object.fromEntries(sources.map((path) => [path.replace(/^test\//, '').replace(/\.ts$/, ''), path])),
  platform: 'node',
  external: isInstalledPackage,
  plugins: [workerEntries(), sourceLocations()],
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
