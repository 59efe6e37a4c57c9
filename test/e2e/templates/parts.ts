import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const templates = fileURLToPath(new URL('../../../templates', import.meta.url));
export const testKey = fileURLToPath(new URL('../../fixtures/keys/test-only-public.pem', import.meta.url));

/** Writes an arduino_secrets.h with values for every template. */
export async function placeSecrets(folder: string): Promise<void> {
  const names = ['WIFI_SSID', 'WIFI_PASSWORD', 'OTA_PASSWORD', 'WEB_USER', 'WEB_PASSWORD'];
  const lines = names.map((name) => `#define SECRET_${name} "no secret: a test"`);
  await writeFile(join(folder, 'arduino_secrets.h'), `${lines.join('\n')}\n`);
}

/** Returns a skeleton's program with the update URL set, as a user would set it. */
export async function skeletonProgram(path: string): Promise<string> {
  const text = await readFile(join(templates, 'skeletons', path), 'utf8');
  return replaceOnce(text, 'updateUrl[] = ""', 'updateUrl[] = "http://192.0.2.10:8080/firmware"');
}

export function replaceOnce(text: string, part: string, replacement: string): string {
  if (text.split(part).length !== 2) throw new Error(`the text must contain ${JSON.stringify(part)} exactly once`);
  return text.replace(part, () => replacement);
}
