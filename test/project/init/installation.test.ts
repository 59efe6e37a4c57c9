import { posix, win32 } from 'node:path';
import test from 'ava';
import { findInstallation, pathInPackage } from '../../../src/project/init/installation.ts';
import { testFolder } from '../../support/test-folder.ts';

const script = 'hooks/platformio.py';

test('findInstallation finds the package in the project folder or a parent folder', async (t) => {
  const folder = await testFolder(t, {
    'node_modules/ota-hooks/hooks/platformio.py': '',
    'firmware/door/src/main.cpp': '',
  });
  const project = { kind: 'project', folder: folder.at('node_modules/ota-hooks') } as const;
  for (const source of [folder.path, folder.at('firmware/door')]) {
    t.deepEqual(findInstallation(source, '/usr/lib/node_modules/ota-hooks/dist/cli.js'), project);
  }
  t.is(pathInPackage(project, folder.at('firmware/door'), script), '../../node_modules/ota-hooks/hooks/platformio.py');
});

test('findInstallation recognizes global and temporary npx installations', async (t) => {
  const { path } = await testFolder(t);
  const globally = '/usr/lib/node_modules/ota-hooks';
  t.deepEqual(findInstallation(path, `${globally}/dist/cli.js`), { kind: 'machine', folder: globally });
  t.is(findInstallation(path, '/home/jo/.npm/_npx/1f2e/node_modules/ota-hooks/dist/cli.js').kind, 'temporary');
});

test('pathInPackage returns the same relative path on Windows and POSIX', (t) => {
  const inProject = (folder: string) => ({ kind: 'project', folder }) as const;
  const name = 'node_modules/ota-hooks/hooks/platformio.py';
  t.is(pathInPackage(inProject('/door/node_modules/ota-hooks'), '/door', script, posix), name);
  t.is(pathInPackage(inProject('C:\\door\\node_modules\\ota-hooks'), 'C:\\door', script, win32), name);
  t.is(pathInPackage(inProject('C:\\all\\node_modules\\ota-hooks'), 'C:\\all\\door', script, win32), `../${name}`);
});

test('pathInPackage returns an absolute path with forward slashes for a file outside the project', (t) => {
  const folder = 'C:\\Users\\jo doe\\AppData\\Roaming\\npm\\node_modules\\ota-hooks';
  t.is(
    pathInPackage({ kind: 'machine', folder }, 'D:\\door', script, win32),
    'C:/Users/jo doe/AppData/Roaming/npm/node_modules/ota-hooks/hooks/platformio.py',
  );
});
