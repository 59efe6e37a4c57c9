/** The PlatformIO hook finds Node.js by the same rules as the command line and never uses a Node.js inside the project. */
import { existsSync } from 'node:fs';
import { chmod, symlink } from 'node:fs/promises';
import { dirname, posix, win32 } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import fc from 'fast-check';
import { findProgram } from '../../../src/project/build/find-program.ts';
import { testFolder } from '../../support/test-folder.ts';
import { platformIo } from '../provision/platformio.ts';
import { hookParts, makeKeys, makeProject, placeKeys } from './project.ts';

const program = `
import json, ntpath, posixpath, sys
sys.path.insert(0, sys.argv[1])
from platformio_hook.programs import find_program
def plain(path, windows):
    return path and (ntpath.normpath(path) if windows else posixpath.normpath("/" + path.lstrip("/")))
def find(case):
    windows, files = case["windows"], [plain(path, case["windows"]) for path in case["files"]]
    is_program = lambda path: plain(path, windows) in files
    return plain(find_program(case["name"], case["path"], case["pathExt"], case["here"], windows, is_program), windows)
print(json.dumps([find(case) for case in json.load(sys.stdin)]))
`;

const posixCase = fc.record({
  windows: fc.constant(false),
  name: fc.constantFrom('node', './node', 'bin/node', '/bin/node', '', '..', 'a:b', 'node.exe'),
  folders: fc.array(
    fc.constantFrom('', '.', '..', 'bin', '/bin', '/usr/bin', '/door', '/door/', '/door/.', '/door/bin', '//door'),
  ),
  pathExt: fc.constant(null),
  here: fc.constantFrom('/door', '/', '/door/bin'),
});
const windowsCase = fc.record({
  windows: fc.constant(true),
  name: fc.constantFrom(
    'node',
    'node.exe',
    'NODE.CMD',
    'C:node',
    'bin\\node',
    'C:\\bin\\node',
    '\\\\s\\t\\node.exe',
    '',
    '..',
    'node.py',
  ),
  folders: fc.array(
    fc.constantFrom(
      '',
      '.',
      'bin',
      'C:',
      'C:bin',
      '\\bin',
      'C:\\bin',
      'c:/bin/',
      'C:\\door',
      'c:\\DOOR\\',
      '"C:\\a;b"',
      '""',
      '\\\\s\\t',
      '"C:\\x',
    ),
  ),
  pathExt: fc.constantFrom(null, '', '.EXE', '.CMD;.EXE', '.PY;.JS;.exe', ' .BAT ;;.COM'),
  here: fc.constantFrom('C:\\door', 'c:\\Bin', 'D:\\'),
});

test('property: the hook and the command line find the same program, on Windows and elsewhere', async (t) => {
  const samples = [...fc.sample(posixCase, 3000), ...fc.sample(windowsCase, 3000)];
  const cases = samples.map(({ folders, ...sample }, index) => {
    const path = folders.join(sample.windows ? ';' : ':');
    const place = {
      platform: sample.windows ? 'win32' : 'linux',
      path,
      pathExt: sample.pathExt ?? undefined,
      currentFolder: sample.here,
    } as const;
    // The search ends at the existing file: the last candidate, one of the first two candidates, or no candidate.
    const received: string[] = [];
    findProgram(sample.name, { ...place, isProgram: (file) => received.push(file) === 0 });
    const files = [received.at(-1), received[0], undefined, received[1]][index % 4] ?? 'none';
    const found = findProgram(sample.name, { ...place, isProgram: (file) => files === file }) ?? null;
    return { ...sample, path, files: [files], found };
  });
  const { stdout } = await execa(platformIo.python, ['-B', '-c', program, hookParts], { input: JSON.stringify(cases) });
  const found: unknown = JSON.parse(stdout);
  t.deepEqual(
    found,
    cases.map(({ found: path, windows }) => path && (windows ? win32 : posix).normalize(path)),
  );
  t.true(cases.filter((each) => each.found !== null).length > 500);
});

test('a build ignores a node inside the project, even if PATH contains its folder', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, makeKeys());
  // A distinct name, since the test platform also starts node.
  const name = 'node-of-the-hook';
  const tools = await testFolder(t);
  await symlink(process.execPath, tools.at(name));
  for (const place of [name, `bin/${name}`]) {
    await project.write(place, `#!/bin/sh\n: > '${project.path('sprung')}'\nexit 1\n`);
    await chmod(project.path(place), 0o755);
  }
  const folders = ['', '.', 'bin', project.folder, tools.path, dirname(process.execPath), '/usr/bin', '/bin'];
  const run = await project.runWith({ OTA_NODE: name, PATH: folders.join(':') });
  t.is(run.exitCode, 0, run.output);
  t.false(existsSync(project.path('sprung')));
  t.true(existsSync(`${project.built('firmware.bin')}.signed`));
});

test('rejects a relative OTA_NODE with a hint to use an absolute path', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, makeKeys());
  const run = await project.runWith({ OTA_NODE: 'bin/node' });
  t.not(run.exitCode, 0);
  t.regex(
    run.output,
    /Node\.js not found \(searched for: bin\/node\)\n +Install Node\.js .* custom_ota_node = \/path\/to\/node/,
  );
});
