/** Runs the scripts for key services in docs/keys.md as signers, with programs that stand in for the clients of the services. */
import { chmod } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { readPage } from '../../docs/pages.ts';
import { door } from '../../support/built-sketch.ts';
import { runCli } from '../../support/run-cli.ts';
import { testFolder } from '../../support/test-folder.ts';

const client = fileURLToPath(new URL('../../support/key-service-client.mjs', import.meta.url));
const page = readPage('docs/keys.md');
const scripts = page.blocks.filter(({ language }) => language === 'bash').map(({ body }) => body);

const services = [
  { name: 'AWS KMS', program: 'aws', input: 'digest' },
  { name: 'Google Cloud KMS', program: 'gcloud', input: 'payload' },
  { name: 'Azure Key Vault', program: 'az', input: 'digest' },
  { name: 'HashiCorp Vault', program: 'vault', input: 'digest' },
] as const;

test('the page has a script for each of these services, and names its input', (t) => {
  t.is(scripts.length, services.length);
  for (const { name, input } of services) {
    t.regex(page.text, new RegExp(`^\\| ${name}[^|]*\\| the script below \\| \`${input}\` \\|`, 'm'));
  }
});

for (const { name, program, input } of services) {
  test(`the script for ${name} makes the same signature as openssl dgst -sign`, async (t) => {
    const script = scripts.find((text) => text.includes(`\n# ${name}`)) ?? '';
    const folder = await testFolder(t, {
      'vault/door.pem': door.privatePem,
      'project/public.key': door.publicPem,
      'project/door.bin': 'any file that is not empty',
      'tmp/.keep': '',
      'recipe.sh': script,
    });
    const standIn = `#!/bin/sh\nexec '${process.execPath}' '${client}' ${program} '${folder.at('vault/door.pem')}' "$@"\n`;
    await folder.write(`bin/${program}`, standIn);
    await Promise.all([`bin/${program}`, 'recipe.sh'].map((file) => chmod(folder.at(file), 0o755)));
    const argv = ['sign', '--bin', 'door.bin', '--signer-command', folder.at('recipe.sh'), '--signer-input', input];
    const sign = (env: Readonly<Record<string, string>>) =>
      runCli(argv, folder.at('project'), {
        DOOR_KEY_VERSION: '0123456789abcdef',
        PATH: `${folder.at('bin')}:${process.env['PATH']}`,
        TMPDIR: folder.at('tmp'),
        ...env,
      });
    const { exitCode, stderr } = await sign({});
    t.is(exitCode, 0, stderr);
    const openssl = ['dgst', '-sha256', '-sign', folder.at('vault/door.pem'), folder.at('project/door.bin')];
    const { stdout } = await execa('openssl', openssl, { encoding: 'buffer', stripFinalNewline: false });
    t.deepEqual((await folder.read('project/door.bin.signed')).subarray(-260, -4), Buffer.from(stdout));

    await execa('rm', [folder.at('project/door.bin.signed')]);
    await folder.write('vault/door.pem', 'not a key');
    const failed = await sign({});
    t.is(failed.exitCode, 1);
    t.regex(failed.stderr, /error\[SIGNER_FAILED\]: .*recipe\.sh failed with exit code/);
    const left = await folder.list();
    t.deepEqual(
      left.filter((file) => file.startsWith('tmp/') || file.endsWith('.signed')),
      ['tmp/.keep'],
    );
  });
}
