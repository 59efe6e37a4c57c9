import type { DeviceConfig } from '../../core/model/inventory-schema.ts';

/**
 * Adds a device to the text of a configuration and keeps everything else, including indentation and line ends.
 *
 * @param text JSON; a configuration in YAML must be edited by hand, because its comments would be lost
 * @returns undefined if the text or its `devices` is not a JSON object
 */
export function withDevice(text: string, name: string, device: DeviceConfig): string | undefined {
  const config = parseObject(text.replace(/^\uFEFF/, ''));
  if (config === undefined) return undefined;
  const style = styleOf(text);
  const root = objectAt(text, text.indexOf('{'));
  const devices = root.members.find(({ key }) => key === 'devices');
  if (devices === undefined) return withMember(text, root, 'devices', { [name]: device }, 1, style);
  if (text[devices.valueAt] !== '{') return undefined;
  return withMember(text, objectAt(text, devices.valueAt), name, device, 2, style);
}

interface Style {
  readonly indent: string;
  readonly lineEnd: string;
}

/** Position of an object in the text, and its members. */
interface Place {
  readonly at: number;
  /** Offset of the closing brace. */
  readonly endAt: number;
  readonly members: readonly { readonly key: string; readonly valueAt: number; readonly valueEndAt: number }[];
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function styleOf(text: string): Style {
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
  return { indent, lineEnd: text.includes('\r\n') ? '\r\n' : '\n' };
}

function withMember(text: string, place: Place, key: string, value: object, depth: number, style: Style): string {
  const { indent, lineEnd } = style;
  const json = JSON.stringify(value, null, indent).replaceAll('\n', lineEnd + indent.repeat(depth));
  const member = `${lineEnd}${indent.repeat(depth)}${JSON.stringify(key)}: ${json}`;
  const last = place.members.at(-1);
  if (last !== undefined) return `${text.slice(0, last.valueEndAt)},${member}${text.slice(last.valueEndAt)}`;
  return `${text.slice(0, place.at + 1)}${member}${lineEnd}${indent.repeat(depth - 1)}${text.slice(place.endAt)}`;
}

/** Reads the object that begins at `at`. The text must be valid JSON. */
function objectAt(text: string, at: number): Place {
  const members: Place['members'][number][] = [];
  let position = skipSpace(text, at + 1);
  while (text[position] !== '}') {
    const keyEnd = endOfValue(text, position);
    const key: unknown = JSON.parse(text.slice(position, keyEnd));
    const valueAt = skipSpace(text, text.indexOf(':', keyEnd) + 1);
    const valueEndAt = endOfValue(text, valueAt);
    members.push({ key: String(key), valueAt, valueEndAt });
    position = skipSpace(text, valueEndAt);
    if (text[position] === ',') position = skipSpace(text, position + 1);
  }
  return { at, endAt: position, members };
}

function endOfValue(text: string, at: number): number {
  let depth = 0;
  for (const token of text.slice(at).matchAll(/"(?:[^"\\]|\\.)*"|[{[]|[}\]]|[^\s,:{}[\]"]+/g)) {
    if (/^[{[]$/.test(token[0])) depth += 1;
    if (/^[}\]]$/.test(token[0])) depth -= 1;
    if (depth === 0) return at + token.index + token[0].length;
  }
  return text.length;
}

function skipSpace(text: string, at: number): number {
  return at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0);
}
