/** Compares the platformio.ini reader with PlatformIO. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { effectiveOptions, environmentsOf, readIni } from '../../../src/project/build/platformio-ini.ts';
import { scriptsOf } from '../../../src/project/init/hook-line.ts';
import { before, iniCases, withHook } from '../../project/init/ini-cases.ts';
import { platformIo } from '../provision/platformio.ts';

/** Prints the options and the extra_scripts of each environment as PlatformIO reads them. */
const query = `
import json, sys
from platformio.project.config import ProjectConfig
config = ProjectConfig(sys.argv[1])
scripts = {name: config.get("env:" + name, "extra_scripts", []) for name in config.envs()}
options = {name: sorted(config.options("env:" + name)) for name in config.envs()}
print(json.dumps({"scripts": scripts, "options": options}))
`;

interface Reading {
  readonly scripts: Readonly<Record<string, readonly string[]>>;
  readonly options: Readonly<Record<string, readonly string[]>>;
}

async function readByPlatformio(text: string): Promise<Reading> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-ini-'));
  try {
    const path = join(folder, 'platformio.ini');
    await writeFile(path, text);
    const { stdout } = await execa(platformIo.python, ['-c', query, path], {
      cwd: folder,
      env: { LANG: 'C.UTF-8', PLATFORMIO_CORE_DIR: join(folder, 'core') },
    });
    return JSON.parse(stdout) as Reading;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readByUs(text: string): Reading {
  const ini = readIni(text);
  const names = environmentsOf(ini);
  const of = <Value>(value: (section: string) => Value) =>
    Object.fromEntries(names.map((name) => [name, value(`env:${name}`)]));
  return {
    scripts: of((section) => scriptsOf(ini, section)),
    options: of((section) => [...effectiveOptions(ini, section).keys()].sort()),
  };
}

for (const one of iniCases) {
  test(`reads platformio.ini as PlatformIO does: ${one.name}`, async (t) => {
    for (const text of [before(one), withHook(one)]) t.deepEqual(readByUs(text), await readByPlatformio(text));
  });
}
