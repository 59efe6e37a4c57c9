/**
 * Builds dist/: the CLI and the library as ESM, split so that each command loads only what it uses. Packages that every run needs
 * (commander, valibot, fflate) are bundled, which halves a hook's start-up time. The server's packages are also bundled, so that the server
 * starts without installing anything else. Dependencies and optional peers remain packages and are imported when they are first needed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { workerEntries } from './rolldown.worker-entries.mjs';

const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const packages = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.peerDependencies ?? {})];

/** Modules that each hook run loads, kept in one file: finding and linking a dozen small files costs more than reading one. */
const hookPath =
  /[\\/]src[\\/](errors[\\/]ota-error|version|files[\\/](read|write|retry|near-paths)|cli[\\/](run|command|program|output[\\/](report|outputs)|commands[\\/]header[\\/]index)|core[\\/]keys[\\/](public-key|fingerprint|private-key|signing-header)|project[\\/]keys[\\/](key-files|git-\w+))\.ts$|[\\/](commander|@commander-js)[\\/]|^\0(commander|rolldown)\//;

/**
 * Modules that bundled packages require but this tool does not use: subcommands as separate programs, and logs written by a worker thread.
 */
const unused = { commander: /^node:child_process$/, pino: /^\.\/(lib\/)?transport$/ };

/** Skips the declarations, which take the compiler several seconds: for tests. The declarations from the last full build are kept. */
const isBundleOnly = process.argv.includes('--bundle-only');

for (const name of existsSync('dist') ? readdirSync('dist') : []) {
  if (!isBundleOnly || name !== 'types') rmSync(`dist/${name}`, { recursive: true });
}
const output = {
  dir: 'dist',
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
};
const command = await bundle({
  input: { cli: 'src/cli/main.ts' },
  output: { ...output, codeSplitting: { groups: [{ name: 'hook', test: hookPath }] } },
});
// A bundle of its own: the file of the hooks imports all commands, and a program that uses the library would reach the server through it.
const library = await bundle({
  input: {
    index: 'src/index.ts',
    pack: 'src/core/pack/index.ts',
    preflight: 'src/core/preflight/index.ts',
    upload: 'src/delivery/index.ts',
    simulator: 'src/simulator/index.ts',
  },
  output,
});
writeFileSync('dist/licenses.txt', licensesOf([...command, ...library]));
await writeSchemas();
if (!isBundleOnly) {
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.types.json'], {
    stdio: 'inherit',
  });
  removePrivateDeclarations();
}

async function bundle({ input, output }) {
  const build = await rolldown({
    input,
    platform: 'node',
    // The package's main file loads its parts through a parameter named require, which no bundler can follow.
    resolve: { alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' } },
    external: (id) => packages.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [lightRequires(), workerEntries()],
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
 * Bundled CommonJS packages would load Node.js modules through createRequire, which costs every hook run several milliseconds, as do the
 * {@link unused} modules.
 */
function lightRequires() {
  return {
    name: 'light-requires',
    resolveId: {
      order: 'pre',
      handler(id, importer, { kind }) {
        if (kind !== 'require-call') return undefined;
        const from = importer.match(/[\\/]node_modules[\\/](commander|pino)[\\/]/)?.[1] ?? 'others';
        if (unused[from]?.test(id)) return `\0${from}/unused`;
        return isBuiltin(id) ? `\0${from}/builtin/${id}` : undefined;
      },
    },
    load(id) {
      if (/^\0\w+\/unused$/.test(id)) return 'module.exports = {}';
      const [, name] = id.match(/^\0\w+\/builtin\/(.*)$/) ?? [];
      return name && `module.exports = process.getBuiltinModule(${JSON.stringify(name)})`;
    },
  };
}

/** License texts of the bundled packages, which their terms require to be passed on. */
function licensesOf(chunks) {
  const names = new Set();
  for (const id of chunks.flatMap((chunk) => chunk.moduleIds ?? [])) {
    const match = id.match(/[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/);
    if (match) names.add(match[1].replace('\\', '/'));
  }
  const texts = [...names].sort().map((name) => `${name}\n\n${licenseOf(name)}\n`);
  return `dist/ contains code of these packages:\n\n${texts.join(`\n${'-'.repeat(72)}\n\n`)}`;
}

function licenseOf(name) {
  const folder = `node_modules/${name}`;
  const file = readdirSync(folder).find((entry) => /^licen[sc]e(\.\w+)?$/i.test(entry));
  // The license of pgpass is the last section of its README.
  const section = file ?? /^## License$.*/ms.exec(readFileSync(`${folder}/README.md`, 'utf8'))?.[0];
  if (section === undefined) throw new Error(`${name} is bundled, but its license text was not found`);
  return (file === undefined ? section : readFileSync(`${folder}/${file}`, 'utf8')).trim();
}

/** Writes the JSON schemas for editors, from the same source as the types. */
async function writeSchemas() {
  await bundle({
    input: { schemas: 'src/cli/output/json-schemas.ts' },
    output: { dir: 'dist/.schemas', entryFileNames: '[name].mjs' },
  });
  const { jsonSchemas } = await import(new URL('dist/.schemas/schemas.mjs', import.meta.url).href);
  mkdirSync('dist/schema/output', { recursive: true });
  for (const [name, schema] of Object.entries(jsonSchemas())) {
    writeFileSync(`dist/schema/${name}`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  rmSync('dist/.schemas', { recursive: true });
}

/** Removes declarations that no entry point refers to: tsc writes one for every file that it reads. */
function removePrivateDeclarations() {
  const entries = Object.values(manifest.exports).flatMap(({ types }) => types ?? []);
  const used = new Set(entries.map((path) => resolve(path)));
  // Iterating over a set also visits elements that are added during the iteration.
  for (const path of used) {
    const text = readFileSync(path, 'utf8');
    for (const [, relative] of text.matchAll(/(?:from |import\()["'](\.[^"']*)\.ts["']/g)) {
      used.add(resolve(dirname(path), `${relative}.d.ts`));
    }
  }
  for (const name of readdirSync('dist/types', { recursive: true })) {
    const path = resolve('dist/types', name);
    if (path.endsWith('.d.ts') && !used.has(path)) rmSync(path);
  }
}
