import { findNodeAtLocation, type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { DeviceConfig } from '../../core/model/inventory-schema.ts';

/**
 * Adds a device to the text of a configuration. All other text is kept, including indentation and line endings. The parser's `modify`
 * function is not used, because it reformats lines near the new text.
 *
 * @param text text of a JSON configuration; YAML is not supported, because its comments would be lost
 * @returns undefined if the text or its `devices` value is not a JSON object
 */
export function withDevice(text: string, name: string, device: DeviceConfig): string | undefined {
  const [mark = ''] = /^\uFEFF/.exec(text) ?? [];
  const json = text.slice(mark.length);
  const errors: ParseError[] = [];
  const root = parseTree(json, errors, { disallowComments: true });
  if (errors.length > 0 || root?.type !== 'object') return undefined;
  const devices = findNodeAtLocation(root, ['devices']);
  if (devices === undefined) return mark + withMember(json, root, 'devices', { [name]: device }, 1);
  return devices.type === 'object' ? mark + withMember(json, devices, name, device, 2) : undefined;
}

/** Adds a member after the last member of a JSON object. `depth` is the indentation level of the members. */
function withMember(text: string, object: Node, key: string, value: object, depth: number): string {
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const json = JSON.stringify(value, null, indent).replaceAll('\n', lineEnd + indent.repeat(depth));
  const member = `${lineEnd}${indent.repeat(depth)}${JSON.stringify(key)}: ${json}`;
  const last = object.children?.at(-1);
  if (last !== undefined) return `${text.slice(0, endOf(last))},${member}${text.slice(endOf(last))}`;
  const braceAt = endOf(object) - 1;
  return `${text.slice(0, object.offset + 1)}${member}${lineEnd}${indent.repeat(depth - 1)}${text.slice(braceAt)}`;
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}
