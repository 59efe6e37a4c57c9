/**
 * Tests how program names are resolved on every platform. The rules are a pure function, so the tests of the Windows rules run on every
 * platform.
 */
import { chmod, symlink } from 'node:fs/promises';
import { delimiter } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { findProgram, programHere, type SearchPlace } from '../../../src/project/build/find-program.ts';
import { testFolder } from '../../support/test-folder.ts';

type Case = Partial<Omit<SearchPlace, 'isProgram'>> & { readonly files: readonly string[] };

function onPosix(name: string, { files, ...place }: Case): string | undefined {
  const isProgram = (path: string) => files.includes(path);
  return findProgram(name, {
    platform: 'linux',
    path: '',
    pathExt: undefined,
    currentFolder: '/door',
    isProgram,
    ...place,
  });
}

/** Compares file names without case, as Windows does. */
function onWindows(name: string, { files, ...place }: Case): string | undefined {
  const known = files.map((file) => file.toLowerCase());
  const isProgram = (path: string) => known.includes(path.toLowerCase());
  const where = {
    platform: 'win32',
    path: '',
    pathExt: undefined,
    currentFolder: 'C:\\door',
    isProgram,
    ...place,
  } as const;
  return findProgram(name, where);
}

test('returns the program from the first PATH folder that contains it', (t) => {
  const files = ['/usr/bin/pio', '/opt/bin/pio'];
  t.is(onPosix('pio', { path: '/bin:/opt/bin:/usr/bin', files }), '/opt/bin/pio');
  t.is(onPosix('pio', { path: '/bin', files }), undefined);
  t.is(onPosix('pio', { path: undefined, files }), undefined);
});

test('ignores empty and relative entries of PATH', (t) => {
  const files = ['pio', './pio', 'bin/pio', '../pio', '/door/pio', '/door/bin/pio', '/usr/bin/pio'];
  for (const path of ['', ':', '.', './', '..', 'bin', './bin', '::', '~/bin']) {
    t.is(onPosix('pio', { path, files }), undefined, path);
    t.is(onPosix('pio', { path: `${path}:/usr/bin`, files }), '/usr/bin/pio', path);
    t.is(onPosix('pio', { path: `/usr/bin:${path}`, files }), '/usr/bin/pio', path);
  }
});

test('does not search the current folder even if PATH names it by its absolute path', (t) => {
  for (const entry of ['/door', '/door/', '/door/.', '/usr/../door', '//door']) {
    t.is(
      onPosix('pio', { path: `${entry}:/usr/bin`, files: [`${entry}/pio`, '/door/pio', '/usr/bin/pio'] }),
      '/usr/bin/pio',
      entry,
    );
  }
});

test('does not search the current folder if PATH contains a symbolic link to it', async (t) => {
  const folder = await testFolder(t, { 'door/pio': '', 'tools/pio': '' });
  for (const path of ['door/pio', 'tools/pio']) await chmod(folder.at(path), 0o755);
  await symlink(folder.at('door'), folder.at('link'));
  const cwd = folder.at('door');
  for (const entry of [folder.at('link'), `${folder.at('link')}/.`, folder.at('link/../link')]) {
    const env = { PATH: [entry, folder.at('tools')].join(delimiter) };
    t.is(programHere('pio', { env, platform: process.platform, cwd }), folder.at('tools/pio'), entry);
  }
});

test('searches an absolute PATH entry below the current folder, such as an activated virtual environment', (t) => {
  t.is(onPosix('pio', { path: '/door/.venv/bin', files: ['/door/.venv/bin/pio'] }), '/door/.venv/bin/pio');
});

test('accepts an absolute path and rejects relative ones', (t) => {
  t.is(onPosix('/opt/pio', { files: ['/opt/pio'] }), '/opt/pio');
  t.is(onPosix('/opt/pio', { files: [] }), undefined);
  for (const name of ['./pio', 'bin/pio', '../pio', '', '.', '..']) {
    t.is(
      onPosix(name, { path: '/usr/bin', files: [name, `/usr/bin/${name}`, '/usr/pio', '/usr/bin/bin/pio'] }),
      undefined,
      name,
    );
  }
});

test('on Windows, tries the extensions of PATHEXT in order, folder by folder', (t) => {
  const files = ['C:\\one\\pio.cmd', 'C:\\one\\pio.exe', 'C:\\two\\pio.com'];
  t.is(onWindows('pio', { path: 'C:\\one;C:\\two', files }), 'C:\\one\\pio.exe');
  t.is(onWindows('pio', { path: 'C:\\one;C:\\two', pathExt: '.CMD;.EXE', files }), 'C:\\one\\pio.cmd');
  t.is(onWindows('pio', { path: 'C:\\two;C:\\one', files }), 'C:\\two\\pio.com');
  t.is(onWindows('pio.cmd', { path: 'C:\\one', files }), 'C:\\one\\pio.cmd');
  t.is(onWindows('PIO.EXE', { path: 'C:\\one', files }), 'C:\\one\\PIO.EXE');
});

test('on Windows, ignores file types that need an interpreter, even if PATHEXT lists them', (t) => {
  const files = ['C:\\one\\pio', 'C:\\one\\pio.js', 'C:\\one\\pio.py', 'C:\\one\\pio.vbs'];
  t.is(onWindows('pio', { path: 'C:\\one', pathExt: '.JS;.PY;.VBS;;.', files }), undefined);
  t.is(onWindows('pio.js', { path: 'C:\\one', pathExt: '.JS', files }), undefined);
});

test('on Windows, ignores entries that depend on the current drive or folder', (t) => {
  for (const entry of ['', '.', '.\\', 'bin', 'C:bin', 'C:', 'c:.', '\\', '\\bin', '/bin', '\\/', '"."', '""']) {
    const bare = entry.replaceAll('"', '');
    const files = [
      `${bare}\\pio.exe`,
      `${bare}pio.exe`,
      `${bare}/pio.exe`,
      'pio.exe',
      'C:\\door\\pio.exe',
      'C:\\tools\\pio.exe',
    ];
    t.is(onWindows('pio', { path: entry, files }), undefined, entry);
    t.is(onWindows('pio', { path: `${entry};C:\\tools`, files }), 'C:\\tools\\pio.exe', entry);
  }
});

test('on Windows, does not search the current folder, regardless of its spelling in PATH', (t) => {
  for (const entry of ['C:\\door', 'c:\\DOOR\\', 'C:/door', 'C:\\tools\\..\\door', '"C:\\door"', 'C:\\door\\.']) {
    const files = ['C:\\door\\pio.exe', 'c:\\DOOR\\pio.exe', 'C:\\tools\\pio.exe'];
    t.is(onWindows('pio', { path: `${entry};C:\\tools`, files }), 'C:\\tools\\pio.exe', entry);
  }
});

test('on Windows, removes quotes from an entry and keeps a quoted semicolon', (t) => {
  const files = ['C:\\Program Files\\a;b\\pio.exe', 'C:\\b"\\pio.exe'];
  t.is(onWindows('pio', { path: 'C:\\x;"C:\\Program Files\\a;b";C:\\y', files }), 'C:\\Program Files\\a;b\\pio.exe');
});

test('on Windows, treats only drive and UNC paths as absolute', (t) => {
  const files = ['D:\\tools\\pio.exe', '\\\\server\\tools\\pio.exe', '\\tools\\pio.exe', 'D:pio.exe', 'tools\\pio.exe'];
  t.is(onWindows('D:\\tools\\pio', { files }), 'D:\\tools\\pio.exe');
  t.is(onWindows('D:/tools/pio.exe', { files: ['D:/tools/pio.exe'] }), 'D:/tools/pio.exe');
  t.is(onWindows('\\\\server\\tools\\pio.exe', { files }), '\\\\server\\tools\\pio.exe');
  t.is(onWindows('pio', { path: '\\\\server\\tools', files }), '\\\\server\\tools\\pio.exe');
  for (const name of ['\\tools\\pio.exe', 'D:pio.exe', 'tools\\pio.exe', '.\\tools\\pio.exe', 'pio.exe:stream']) {
    t.is(onWindows(name, { path: 'D:\\', files: [...files, `D:\\${name}`] }), undefined, name);
  }
});

test('finds only programs with absolute paths outside the current folder', (t) => {
  const entry = fc.constantFrom(
    '',
    '.',
    '..',
    'bin',
    '/bin',
    '/door',
    '/door/',
    '/door/venv',
    '/',
    './bin',
    '/bin/../door',
  );
  const windowsEntry = fc.constantFrom(
    '',
    '.',
    'bin',
    'C:',
    'C:bin',
    '\\bin',
    'C:\\bin',
    'C:\\door',
    '"C:\\a;b"',
    'c:/DOOR',
    '\\\\s\\t',
  );
  fc.assert(
    fc.property(fc.array(entry), fc.constantFrom('pio', './pio', 'bin/pio', '/bin/pio'), (entries, name) => {
      const found = findProgram(name, {
        platform: 'darwin',
        path: entries.join(':'),
        pathExt: undefined,
        currentFolder: '/door',
        isProgram: () => true,
      });
      return found === undefined || (found.startsWith('/') && !/^\/door\/+[^/]+$/.test(found));
    }),
  );
  fc.assert(
    fc.property(fc.array(windowsEntry), fc.constantFrom('pio', 'pio.exe', 'bin\\pio', 'C:pio'), (entries, name) => {
      const found = onWindowsWithEverything(name, entries.join(';'));
      return (
        found === undefined || (/^(?:[A-Z]:|\\\\s)[\\/]/i.test(found) && !/^c:[\\/]door[\\/][^\\/]+$/i.test(found))
      );
    }),
  );
  t.pass();
});

function onWindowsWithEverything(name: string, path: string): string | undefined {
  return findProgram(name, { platform: 'win32', path, pathExt: '', currentFolder: 'C:\\door', isProgram: () => true });
}
