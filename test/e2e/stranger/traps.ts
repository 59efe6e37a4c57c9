import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';

/** Traps in a source tree: each writes a marker when a file or command from the tree is executed. */
export interface Traps {
  /** A careless PATH, which finds programs in the current folder first. */
  readonly path: string;
  /** Names of the triggered traps. */
  readonly sprung: () => Promise<readonly string[]>;
  readonly clear: () => Promise<void>;
}

/** Programs that this tool, its hooks or the tools around them start by name. */
export const programs = [
  ...['git', 'node', 'npm', 'npx', 'pio', 'platformio', 'arduino-cli', 'python', 'python3', 'sh', 'env', 'cmd', 'true'],
  ...['firewall-cmd', 'netsh', 'openssl', 'ssh', 'ota-hooks', 'xtensa-lx106-elf-gcc'],
];

/** Sets up every trap in a folder, which becomes a git repository. */
export async function plantTraps(t: ExecutionContext, folder: string): Promise<Traps> {
  const marks = await mkdtemp(join(tmpdir(), 'ota-hooks-marks-'));
  t.teardown(() => rm(marks, { recursive: true, force: true }));
  const write = async (name: string, text: string, mode = 0o644) => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), mode);
  };
  const shell = (mark: string) => `#!/bin/sh\n: > '${marks}/${mark}'\nexit 1\n`;
  const script = (mark: string) => `require('node:fs').writeFileSync(${JSON.stringify(join(marks, mark))}, '');\n`;
  const python = (mark: string) => `open(${JSON.stringify(join(marks, mark))}, "w").close()\n`;
  /** Path of an executable that writes this marker. */
  const trap = async (mark: string) => {
    await write(`traps/${mark}`, shell(mark), 0o755);
    return join(folder, 'traps', mark);
  };

  // Existing files, including keys, are tracked, so that commands have a reason to query git.
  const gitEnvironment = { GIT_CONFIG_NOSYSTEM: '1', HOME: marks };
  await execa('git', ['init', '--quiet', folder], { env: gitEnvironment });
  await execa('git', ['-C', folder, 'add', '--all', '--force'], { env: gitEnvironment });
  for (const name of programs) {
    for (const place of ['', 'bin/', 'node_modules/.bin/']) await write(place + name, shell(`program-${name}`), 0o755);
    for (const extension of ['.cmd', '.exe', '.bat', '.com'])
      await write(name + extension, shell(`program-${name}`), 0o755);
  }
  await write('.git/config', await gitConfig(folder, trap));
  await write('.git/included', `[alias]\n\tincluded = "!${await trap('git-include')}"\n`);
  for (const hook of [
    'pre-commit',
    'post-index-change',
    'reference-transaction',
    'post-checkout',
    'fsmonitor-watchman',
  ]) {
    await write(`.git/hooks/${hook}`, shell('git-hook'), 0o755);
    await write(`traps/hooks/${hook}`, shell('git-hooks-path'), 0o755);
  }
  await write(
    '.gitattributes',
    '* filter=cleaned diff=converted merge=merged\n*.bin filter=processed\n*.external diff=external\n',
  );

  await write(
    '.npmrc',
    `node-options=--require ${join(folder, 'trap.cjs')}\nscript-shell=${await trap('npm-script-shell')}\nscripts-prepend-node-path=true\n`,
  );
  await write('.env', `NODE_OPTIONS=--require ${join(folder, 'trap.cjs')}\n`);
  await write('trap.cjs', script('node-options'));
  await write(
    'package.json',
    JSON.stringify({ name: 'stranger', version: '1.0.0', scripts: { start: `${process.execPath} -e 0` } }),
  );
  for (const name of [
    'execa',
    'ignore',
    'cosmiconfig',
    'fast-glob',
    'typescript',
    'hono',
    'libsql',
    'kysely',
    'pino',
    'ota-hooks',
  ]) {
    await write(`node_modules/${name}/index.js`, script('node-module'));
    await write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '99.0.0', main: 'index.js' }));
  }
  for (const name of [
    'ota.config.js',
    'ota.config.cjs',
    'ota.config.ts',
    '.otarc.js',
    '.config/config.js',
    '.config/otarc.js',
  ]) {
    await write(name, script('configuration'));
  }
  for (const name of ['sitecustomize.py', 'usercustomize.py', 'platformio.py', 'SCons/__init__.py', 'trap.py']) {
    await write(name, python('python'));
  }
  return {
    path: ['', '.', 'bin', dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', ''].join(delimiter),
    sprung: async () => (await readdir(marks)).sort(),
    clear: async () => {
      for (const name of await readdir(marks)) await rm(join(marks, name), { recursive: true });
    },
  };
}

/** A repository configuration with every setting that names a command. */
async function gitConfig(folder: string, trap: (mark: string) => Promise<string>): Promise<string> {
  return `[core]
	repositoryformatversion = 0
	bare = false
	fsmonitor = "${await trap('git-fsmonitor')}"
	hooksPath = "${join(folder, 'traps', 'hooks')}"
	pager = "${await trap('git-pager')}"
	editor = "${await trap('git-editor')}"
	sshCommand = "${await trap('git-ssh')}"
	askPass = "${await trap('git-askpass')}"
[diff]
	external = "${await trap('git-external-diff')}"
[diff "converted"]
	textconv = "${await trap('git-textconv')}"
[diff "external"]
	command = "${await trap('git-diff-command')}"
[filter "cleaned"]
	clean = "${await trap('git-filter-clean')}"
	smudge = "${await trap('git-filter-smudge')}"
[filter "processed"]
	process = "${await trap('git-filter-process')}"
[merge "merged"]
	driver = "${await trap('git-merge')}"
[credential]
	helper = "!${await trap('git-credential')}"
[gpg]
	program = "${await trap('git-gpg')}"
[alias]
	trapped = "!${await trap('git-alias')}"
	describe = "!${await trap('git-alias')}"
[include]
	path = included
`;
}
