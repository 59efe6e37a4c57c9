/**
 * Runs AVA on the bundled tests. Arguments name the source files of the tests:
 *
 *     npm test -- test/core/keys/verify.test.ts
 *     npm test -- 'test/server/**' --match '*token*'
 */
import { execa } from 'execa';
import { memoryFolder } from './memory-folder.mjs';

const argv = process.argv
  .slice(2)
  .map((argument) =>
    argument.replace(/^(\.\/)?test\//, 'build/tests/files/').replace(/(?<=^build\/tests\/.*)\.ts$/, '.js'),
  );
// End-to-end tests run programs that choose their own temporary folders.
const folder = process.env.TMPDIR || argv.includes('ava.e2e.config.js') ? undefined : memoryFolder();
const { exitCode = 1 } = await execa(process.execPath, ['node_modules/ava/entrypoints/cli.mjs', ...argv], {
  stdio: 'inherit',
  env: folder === undefined ? {} : { TMPDIR: folder },
  reject: false,
});
process.exitCode = exitCode;
