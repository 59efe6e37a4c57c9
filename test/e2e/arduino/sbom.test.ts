import { readFile } from 'node:fs/promises';
import test from 'ava';
import { makeKeys, makeWorkplace, placeKeys } from './workplace.ts';

interface Part {
  readonly name: string;
  readonly version?: string;
  readonly type?: string;
}

const namesOf = (parts: readonly Part[]) => parts.map(({ name, version }) => `${name} ${version}`).sort();

test.serial('the bill of materials names the libraries and versions that arduino-cli reports', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch(
    'door',
    '#include <ArduinoOTA.h>\n#include <ESP8266WiFi.h>\nvoid setup() { ArduinoOTA.begin(); }\nvoid loop() {}\n',
  );
  await placeKeys(sketch, makeKeys());
  const built = await workplace.build(sketch, '--json');
  t.is(built.exitCode, 0, built.output);
  const [json = ''] = /^\{$[\s\S]*^\}$/m.exec(built.output) ?? [];
  const reported: readonly Part[] = JSON.parse(json).builder_result.used_libraries;
  t.true(reported.length >= 2);

  const image = await workplace.image(sketch);
  const packed = await workplace.run('pack', image, '--source', sketch, '--sbom');
  t.is(packed.exitCode, 0, packed.output);
  const { components } = JSON.parse(await readFile(`${image}.cdx.json`, 'utf8'));
  t.deepEqual(namesOf((components as readonly Part[]).filter(({ type }) => type === 'library')), namesOf(reported));
  t.true((components as readonly Part[]).some(({ name, version }) => name === 'GCC' && /^\d+\./.test(version ?? '')));
  t.like(components[0], { name: 'Arduino core for ESP8266', version: '3.1.2' });
});
