/**
 * Builds dist/: the CLI and the library as ESM, split so that a hook's run loads only what it uses. What every run needs (commander,
 * valibot, fflate) is bundled: it halves the start-up of a hook. The rest stays a dependency and is imported when it is first needed.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const external = [
  ...Object.keys(manifest.dependencies ?? {}),
  ...Object.keys(manifest.peerDependencies ?? {}),
  'node:*',
];

rmSync('dist', { recursive: true, force: true });
const result = await build({
  entryPoints: ['src/cli.ts', 'src/index.ts', 'src/simulator/index.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true,
  minifyWhitespace: true,
  external,
  plugins: [withoutSubprocesses()],
  define: { OTA_HOOKS_VERSION: JSON.stringify(manifest.version) },
  metafile: true,
  chunkNames: 'chunks/[name]-[hash]',
  // Bundled CommonJS packages call require for node's own modules, and for nothing else.
  banner: { js: 'const require=process.getBuiltinModule;' },
  logLevel: 'warning',
});
writeFileSync('dist/licences.txt', licencesOf(result.metafile));
await writeSchemas();
execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.types.json'], { stdio: 'inherit' });

/**
 * commander can start subcommands that are programs of their own. There are none here, and loading node:child_process for them would cost
 * each run of a hook two milliseconds.
 */
function withoutSubprocesses() {
  return {
    name: 'commander-without-subprocesses',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
        /node_modules[\\/]commander[\\/]/.test(importer) ? { path: 'child_process', namespace: 'empty' } : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'module.exports = {}', loader: 'js' }));
    },
  };
}

/** The licence texts of what was bundled, which their terms ask to be passed on. */
function licencesOf(metafile) {
  const names = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const match = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (match) names.add(match[1]);
  }
  const texts = [...names].sort().map((name) => {
    const text = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license']
      .map((file) => `node_modules/${name}/${file}`)
      .map((file) => {
        try {
          return readFileSync(file, 'utf8');
        } catch {
          return undefined;
        }
      })
      .find((found) => found !== undefined);
    if (text === undefined) throw new Error(`${name} is bundled, but its licence text was not found`);
    return `${name}\n\n${text.trim()}\n`;
  });
  return `dist/ contains code of these packages:\n\n${texts.join(`\n${'-'.repeat(72)}\n\n`)}`;
}

/** The JSON schemas for editors, from the same source as the types. */
async function writeSchemas() {
  await build({
    entryPoints: ['src/config/json-schema.ts'],
    outfile: 'dist/.schema.mjs',
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
  const { jsonSchemas } = await import(new URL('dist/.schema.mjs', import.meta.url).href);
  mkdirSync('dist/schema', { recursive: true });
  for (const [name, schema] of Object.entries(jsonSchemas())) {
    writeFileSync(`dist/schema/${name}`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  rmSync('dist/.schema.mjs');
}
