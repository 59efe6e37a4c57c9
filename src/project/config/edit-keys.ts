import { applyEdits, findNodeAtLocation, modify, type ParseError, parseTree } from 'jsonc-parser';
import { memberInsertion } from './json-member.ts';
import type { KeyEntry } from './keys-schema.ts';

/**
 * Replaces the list `keys` in the text of a configuration, and removes `publicKey`, the short form for one key. All other text is kept.
 *
 * @param text text of a JSON configuration; YAML is not supported, because its comments would be lost
 * @returns undefined if the text is not a JSON object
 */
export function withKeys(text: string, keys: readonly KeyEntry[]): string | undefined {
  const [mark = ''] = /^\uFEFF/.exec(text) ?? [];
  const json = text.slice(mark.length);
  const errors: ParseError[] = [];
  const root = parseTree(json, errors, { disallowComments: true });
  if (errors.length > 0 || root?.type !== 'object') return undefined;
  const present = findNodeAtLocation(root, ['keys']);
  const inserted = present === undefined ? memberInsertion(json, [], 'keys', keys) : undefined;
  const edited =
    inserted === undefined
      ? json.slice(0, present?.offset) +
        listText(json, keys) +
        json.slice((present?.offset ?? 0) + (present?.length ?? 0))
      : json.slice(0, inserted.at) + inserted.text + json.slice(inserted.at);
  const isShort = findNodeAtLocation(root, ['publicKey']) !== undefined;
  return mark + (isShort ? applyEdits(edited, modify(edited, ['publicKey'], undefined, {})) : edited);
}

function listText(json: string, keys: readonly KeyEntry[]): string {
  const indent = /^([ \t]+)"/m.exec(json)?.[1] ?? '  ';
  const lineEnd = json.includes('\r\n') ? '\r\n' : '\n';
  return JSON.stringify(keys, null, indent).replaceAll('\n', lineEnd + indent);
}
