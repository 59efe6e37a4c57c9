/**
 * Bundles the tests into build/tests, so that a test file starts without compiling TypeScript or loading hundreds of modules.
 *
 *     node test/bundle.mjs            unit tests
 *     node test/bundle.mjs e2e        end-to-end tests as well
 */
import { rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import fastGlob from 'fast-glob';
import { rolldown } from 'rolldown';
import { workerEntries } from '../rolldown.worker-entries.mjs';

const folder = 'build/tests';
const isWithE2e = process.argv[2] === 'e2e';
const sources = fastGlob.sync('test/**/*.test.ts', { ignore: isWithE2e ? [] : ['test/e2e/**'] });
/**
 * Groups of test files that `npm test` runs in one process: the start of a process and the compilation of code that many tests use take
 * more time than most tests. `npm test -- FILE` runs a file in its own process.
 */
const groups = {
  core: /^core\//,
  commands: /^cli\/commands\//,
  cli: /^(cli|docs|errors|templates)\//,
  'server-data': /^server\/(dashboard|rollout|storage|tls)\//,
  server: /^server\//,
  project: /^(api|chaos|delivery|files|formats|project|publishing|simulator)\//,
};
/** Test files that run serial tests, change the state of the process, or measure its memory. Each runs in its own process. */
const alone = [
  ...[
    'api/client/proxy',
    'cli/interrupts',
    'delivery/discovery',
    'delivery/espota/faults',
    'delivery/espota/schedule',
    'project/config/load',
  ],
  ...['clock', 'hostile', 'unread-body', 'verifier', 'virtual-devices'].map((name) => `server/${name}`),
].map((name) => `${name}.test`);

rmSync(folder, { recursive: true, force: true });
const names = sources.map((path) => path.replace(/^test\//, '').replace(/\.ts$/, ''));
const unitTests = names.filter((name) => !/^(e2e|attack)\//.test(name));
/** The file of a whole run that holds this one. */
const suiteFile = (name) => {
  const group = alone.includes(name) ? undefined : Object.keys(groups).find((group) => groups[group].test(name));
  return group ? `${group}.test` : name;
};
const bundle = await rolldown({
  input: {
    ...Object.fromEntries(names.map((name) => [`files/${name}`, `files:${name}`])),
    ...Object.fromEntries(unitTests.map((name) => [`suite/${suiteFile(name)}`, `suite:${suiteFile(name)}`])),
  },
  platform: 'node',
  external: isInstalledPackage,
  plugins: [workerEntries(), sourceLocations(), entries()],
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

/** Returns whether a package stays outside the bundle. Packages with many files are bundled, because loading each file is slow. */
function isInstalledPackage(id) {
  // @oxc-project contains rolldown's helpers for syntax that Node.js 20 lacks.
  return /^[@a-z]/.test(id) && !/^(ava|kysely|execa|hono|@hono\/node-server|prom-client|@oxc-project)($|\/)/.test(id);
}

/** Replaces import.meta.url with the URL of the source file, so that tests find fixtures, documentation and the CLI. */
function sourceLocations() {
  const expression = 'import.meta.url';
  const located = (code, id) => code.replaceAll(expression, JSON.stringify(pathToFileURL(id).href));
  return {
    name: 'source-locations',
    transform: {
      filter: { code: expression, id: /[\\/](test|docs)[\\/].*\.ts$/ },
      // The replacement keeps all line numbers, so the source map stays valid.
      handler: (code, id) => ({ code: located(code, id), map: null }),
    },
  };
}

/**
 * Creates the entry modules. Each imports one test file or one group of test files, and then declares the tests. In a group, the titles
 * start with the name of the test file, because AVA requires unique titles.
 */
function entries() {
  const declarations = resolve('test/declarations.mjs');
  const testFolder = resolve('test');
  const recorder = '\0recorder:';
  return {
    name: 'entries',
    resolveId(id, importer) {
      if (id === 'ava') return importer === declarations ? { id, external: true } : recorder + importer;
      return /^(files|suite):/.test(id) ? id : null;
    },
    load(id) {
      if (id.startsWith(recorder)) {
        const name = relative(testFolder, id.slice(recorder.length)).replace(/(\.test)?\.ts$/, '');
        return `import { recorderOf } from ${JSON.stringify(declarations)}; export default recorderOf(${JSON.stringify(name)});`;
      }
      const [, kind, wanted] = /^(files|suite):(.+)$/.exec(id) ?? [];
      if (kind === undefined) return null;
      const tests = kind === 'files' ? [wanted] : unitTests.filter((name) => suiteFile(name) === wanted);
      const imports = tests.map((name) => `import ${JSON.stringify(resolve('test', `${name}.ts`))};`);
      const declare = `import { declareTests } from ${JSON.stringify(declarations)};`;
      return [...imports, declare, `declareTests({ isGroup: ${tests.length > 1} });`].join('\n');
    },
  };
}
