import { readFile } from 'node:fs/promises';
import test from 'ava';
import { makeKeys, makeProject, placeKeys } from './project.ts';

interface Part {
  readonly name: string;
  readonly version?: string;
  readonly type?: string;
}

test.serial('"sbom": true makes the hook write the libraries and versions that PlatformIO reports', async (t) => {
  const project = await makeProject(t, {
    sketch: '#include <ESP8266WiFi.h>\n#include <Hinge.h>\nvoid setup() { hinge(); }\nvoid loop() {}\n',
  });
  await placeKeys(project, makeKeys());
  await project.write('ota.config.json', '{"project": "door", "sbom": true}');
  await project.write('lib/Hinge/Hinge.h', 'inline void hinge() {}\n');
  await project.write('lib/Hinge/library.json', '{"name": "Hinge", "version": "2.3.4"}');
  await project.write('lib/Unused/Unused.h', '');
  const run = await project.run();
  t.is(run.exitCode, 0, run.output);
  const { components } = JSON.parse(await readFile(project.built('firmware.bin.cdx.json'), 'utf8'));
  const libraries = (components as readonly Part[]).filter(({ type }) => type === 'library');
  // The lines of PlatformIO: |-- ESP8266WiFi @ 1.0.0
  const reported = [...run.output.matchAll(/^\|-- (\S+) @ (\S+)/gm)].map(([, name, version]) => `${name} ${version}`);
  t.deepEqual(libraries.map(({ name, version }) => `${name} ${version}`).sort(), ['ESP8266WiFi 1.0.0', 'Hinge 2.3.4']);
  t.deepEqual(reported.sort(), ['ESP8266WiFi 1.0.0', 'Hinge 2.3.4'], run.output);
  t.true((components as readonly Part[]).some(({ name }) => name === 'GCC'));
  t.like(await project.run(), { made: [], started: [] });
});
