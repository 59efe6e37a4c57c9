import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { aptInstall } from './apt.ts';

const PACKAGES = ['arduino-cli', 'arduino-mdns-discovery', 'arduino-serial-discovery'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const cache = process.env['OTA_HOOKS_CACHE'] ?? join(homedir(), '.cache', 'ota-hooks-e2e');
const folder = join(cache, 'arduino-cli');
const ready = join(folder, 'ready');

/** A real arduino-cli, and a data folder in its layout, shared by all tests. */
export const arduinoCli = {
  isReady: () => existsSync(ready),
  program: join(folder, 'root', 'usr', 'bin', 'arduino-cli'),
  data: join(folder, 'data'),
} as const;

/**
 * Only Debian's unstable suite has a current arduino-cli. An apt with separate sources and state downloads the packages from this machine's
 * mirror, and they are unpacked into the cache folder, so that nothing from unstable is installed. The sketch parser (arduino-ctags) is
 * from the stable suite.
 */
export async function installArduinoCli(): Promise<void> {
  await aptInstall(['arduino-ctags', 'debian-archive-keyring', 'ca-certificates']);
  if (arduinoCli.isReady()) return;
  console.log(`Unpacking Debian's ${PACKAGES.join(', ')} (unstable) into ${folder}`);
  await rm(folder, { recursive: true, force: true });
  await downloadFromUnstable(join(folder, 'debs'));
  for (const name of await readdir(join(folder, 'debs'))) {
    await execa('dpkg-deb', ['--extract', join(folder, 'debs', name), join(folder, 'root')]);
  }
  await layOutData();
  await execa(arduinoCli.program, ['version'], { stdio: 'inherit' });
  // Written last, so that an interrupted installation is repeated.
  await writeFile(ready, '');
}

async function downloadFromUnstable(target: string): Promise<void> {
  const apt = join(folder, 'apt');
  await mkdir(join(apt, 'lists', 'partial'), { recursive: true });
  await mkdir(join(apt, 'cache', 'archives', 'partial'), { recursive: true });
  await mkdir(target, { recursive: true });
  await writeFile(join(apt, 'status'), '');
  const sources = [
    'Types: deb',
    `URIs: ${await debianMirror()}`,
    'Suites: sid',
    'Components: main',
    `Signed-By: ${KEYRING}`,
  ];
  await writeFile(join(apt, 'unstable.sources'), `${sources.join('\n')}\n`);
  const options = [
    ...['-o', `Dir::Etc::SourceList=${join(apt, 'unstable.sources')}`, '-o', 'Dir::Etc::SourceParts=-'],
    ...['-o', `Dir::State::Lists=${join(apt, 'lists')}`, '-o', `Dir::State::Status=${join(apt, 'status')}`],
    ...['-o', `Dir::Cache=${join(apt, 'cache')}`, '-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Languages=none'],
    ...['-o', 'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false'],
  ];
  await execa('apt-get', [...options, 'update'], { stdio: 'inherit' });
  await execa('apt-get', [...options, 'download', ...PACKAGES], { cwd: target, stdio: 'inherit' });
  await rm(apt, { recursive: true });
}

/** Debian mirror that this machine uses for its own release. */
async function debianMirror(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME=(.+)$/m.exec(release)?.[1];
  const { stdout } = await execa('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)']);
  const mirror = stdout
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, suite, component]) => suite === codename && component === 'main')?.[0];
  if (mirror === undefined) throw new Error(`no source of Debian ${codename} is configured in this machine's apt`);
  return mirror;
}

/** Writes empty indexes, so that nothing is downloaded, and places the tools where arduino-cli looks for built-in ones. */
async function layOutData(): Promise<void> {
  const tools = join(arduinoCli.data, 'packages/builtin/tools');
  const ctags = join(tools, 'ctags/5.8-arduino11');
  await cp(join(folder, 'root/usr/libexec/arduino/builtin/tools'), tools, { recursive: true });
  await mkdir(ctags, { recursive: true });
  await symlink('/usr/bin/arduino-ctags', join(ctags, 'ctags'));
  await writeFile(join(arduinoCli.data, 'package_index.json'), '{"packages":[]}');
  await writeFile(join(arduinoCli.data, 'library_index.json'), '{"libraries":[]}');
}
