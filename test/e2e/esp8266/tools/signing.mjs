// Stand-in for the core's tools/signing.py that never signs: the header disables signing, and the .bin is left unchanged.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

const text = { type: 'string' };
const { values } = parseArgs({
  options: { mode: text, publickey: text, privatekey: text, bin: text, out: text, legacy: text },
});

if (values.mode === 'header') {
  const header = '#define ARDUINO_SIGNING 0\n';
  if (!existsSync(values.out) || readFileSync(values.out, 'utf8') !== header) {
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, header);
  }
}
