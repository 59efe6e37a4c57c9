/**
 * Runs AVA on the bundled tests. Arguments name the source files of the tests:
 *
 *     npm test -- test/core/keys/verify.test.ts
 *     npm test -- 'test/server/**' --match '*token*'
 */
import { execa } from 'execa';

const argv = process.argv
  .slice(2)
  .map((argument) =>
    argument.replace(/^(\.\/)?test\//, 'build/tests/files/').replace(/(?<=^build\/tests\/.*)\.ts$/, '.js'),
  );
const { exitCode = 1 } = await execa(process.execPath, ['node_modules/ava/entrypoints/cli.mjs', ...argv], {
  stdio: 'inherit',
  reject: false,
});
process.exitCode = exitCode;
