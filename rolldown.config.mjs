/**
 * Builds dist/: the CLI and the library as ESM, split so that a hook's run loads only what it uses. What every run needs (commander,
 * valibot, fflate) is bundled: it halves the start-up of a hook. The rest stays a dependency and is imported when it is first needed.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { rolldown } from 'rolldown';
import { workerEntries } from './build/worker-entries.mjs';

const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const packages = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.peerDependencies ?? {})];

/** What each run of a hook loads, kept in one file: finding and linking a dozen small ones costs more than reading it. */
const hookPath =
  /[\\/]src[\\/](errors|version|files[\\/](read|write|retry|near-paths)|commands[\\/](verb|program|report|outputs|header)|keys[\\/](public-key|fingerprint|key-files|git-tracking|private-key|signing-header))\.ts$|[\\/](commander|@commander-js)[\\/]|^\0/;

rmSync('dist', { recursive: true, force: true });
const output = await bundle({
  input: { cli: 'src/cli.ts', index: 'src/index.ts', 'simulator/index': 'src/simulator/index.ts' },
  output: {
    dir: 'dist',
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: { groups: [{ name: 'hook', test: hookPath }] },
  },
});
writeFileSync('dist/licences.txt', licencesOf(output));
await writeSchemas();
execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.types.json'], {
  stdio: 'inherit',
});

async function bundle({ input, output }) {
  const build = await rolldown({
    input,
    platform: 'node',
    external: (id) => packages.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [lightBuiltins(), workerEntries()],
    transform: { target: 'node20.19', define: { OTA_HOOKS_VERSION: JSON.stringify(manifest.version) } },
    onLog(level, log) {
      if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') console.error(`${level}: ${log.message}`);
    },
  });
  const { output: written } = await build.write({ format: 'esm', ...output });
  await build.close();
  return written;
}

/**
 * commander is CommonJS: what it requires of node would come through createRequire, and child_process, which it keeps for subcommands
 * that are programs of their own, is loaded without use. Together they cost a hook four milliseconds.
 */
function lightBuiltins() {
  const isCommander = (importer) => /[\\/]commander[\\/]/.test(importer ?? '');
  return {
    name: 'light-builtins',
    resolveId: {
      order: 'pre',
      handler: (id, importer) => (id.startsWith('node:') && isCommander(importer) ? `\0${id}` : undefined),
    },
    load(id) {
      if (id === '\0node:child_process') return 'module.exports = {}';
      return id.startsWith('\0node:')
        ? `module.exports = process.getBuiltinModule(${JSON.stringify(id.slice(1))})`
        : undefined;
    },
  };
}

/** The licence texts of what was bundled, which their terms ask to be passed on. */
function licencesOf(chunks) {
  const names = new Set();
  for (const id of chunks.flatMap((chunk) => chunk.moduleIds ?? [])) {
    const match = id.match(/[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/);
    if (match) names.add(match[1].replace('\\', '/'));
  }
  const texts = [...names].sort().map((name) => `${name}\n\n${licenceOf(name)}\n`);
  return `dist/ contains code of these packages:\n\n${texts.join(`\n${'-'.repeat(72)}\n\n`)}`;
}

function licenceOf(name) {
  const folder = `node_modules/${name}`;
  const file = readdirSync(folder).find((entry) => /^licen[sc]e(\.\w+)?$/i.test(entry));
  if (file === undefined) throw new Error(`${name} is bundled, but its licence text was not found`);
  return readFileSync(`${folder}/${file}`, 'utf8').trim();
}

/** The JSON schemas for editors, from the same source as the types. */
async function writeSchemas() {
  await bundle({
    input: { schemas: 'src/commands/json-schemas.ts' },
    output: { dir: 'dist/.schemas', entryFileNames: '[name].mjs' },
  });
  const { jsonSchemas } = await import(new URL('dist/.schemas/schemas.mjs', import.meta.url).href);
  mkdirSync('dist/schema/output', { recursive: true });
  for (const [name, schema] of Object.entries(jsonSchemas())) {
    writeFileSync(`dist/schema/${name}`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  rmSync('dist/.schemas', { recursive: true });
}
