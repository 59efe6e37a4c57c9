import { execa } from 'execa';

/** Installs missing Debian packages as root and prints their names. Needs no network when all are installed. */
export async function aptInstall(packages: readonly string[]): Promise<void> {
  const missing = await missingOf(packages);
  if (missing.length === 0) return;
  console.log(`Installing Debian packages: ${missing.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  const first = await execa('apt-get', install, { env, reject: false, all: true });
  if (!first.failed) return;
  // The package lists of a fresh machine are empty or old.
  await execa('apt-get', ['update'], { env, stdio: 'inherit' });
  await execa('apt-get', install, { env, stdio: 'inherit' });
}

async function missingOf(packages: readonly string[]): Promise<readonly string[]> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own format, not a template of ours
  const query = ['--show', '--showformat', '${Package} ${db:Status-Status}\n', ...packages];
  const { stdout } = await execa('dpkg-query', query, { reject: false });
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return packages.filter((name) => !installed.has(name));
}
