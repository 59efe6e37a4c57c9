// Writes core_version.h, with the version word that the image contains, into the build folder.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const text = { type: 'string' };
const { values } = parseArgs({ options: { build_path: text, version: text } });

const gitWords = { '2.7.4': '2843a5ac', '3.0.2': 'cf6ff4c4', '3.1.2': '210897ef' };
const header = `#define ARDUINO_ESP8266_GIT_VER 0x${gitWords[values.version] ?? '00000000'}\n#define ARDUINO_ESP8266_GIT_DESC ${values.version}\n`;
const folder = join(values.build_path, 'core');
const file = join(folder, 'core_version.h');
if (!existsSync(file) || readFileSync(file, 'utf8') !== header) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, header);
}
