// Stands where the core has tools/signing.py and never signs: the header says so, the .bin stays as it is.
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
