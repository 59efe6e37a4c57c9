import { findNodeAtLocation, type Node, type ParseError, parseTree } from 'jsonc-parser';

/** Text to insert into a JSON document, and its offset. */
export interface MemberInsertion {
  readonly at: number;
  readonly text: string;
}

/**
 * Returns the insertion that adds a member at the end of an object in a JSON document. All other text is kept, including indentation and
 * line endings. The parser's `modify` function is not used, because it reformats lines near the new text.
 *
 * @param path keys that lead to the object; empty for the document itself
 * @returns undefined if the document is not valid JSON or has no object at the path
 */
export function memberInsertion(
  json: string,
  path: readonly string[],
  key: string,
  value: object,
): MemberInsertion | undefined {
  const errors: ParseError[] = [];
  const root = parseTree(json, errors, { disallowComments: true });
  const object = errors.length > 0 || root === undefined ? undefined : findNodeAtLocation(root, [...path]);
  return object?.type === 'object' ? insertionIn(json, object, key, value, path.length + 1) : undefined;
}

/** Adds a member after the last member of an object. `depth` is the indentation level of the members. */
function insertionIn(json: string, object: Node, key: string, value: object, depth: number): MemberInsertion {
  const indent = /^([ \t]+)"/m.exec(json)?.[1] ?? '  ';
  const lineEnd = json.includes('\r\n') ? '\r\n' : '\n';
  const lines = JSON.stringify(value, null, indent).replaceAll('\n', lineEnd + indent.repeat(depth));
  const member = `${lineEnd}${indent.repeat(depth)}${JSON.stringify(key)}: ${lines}`;
  const last = object.children?.at(-1);
  if (last !== undefined) return { at: last.offset + last.length, text: `,${member}` };
  const isOneLine = json.slice(object.offset + 1, object.offset + object.length - 1) === '';
  return { at: object.offset + 1, text: isOneLine ? `${member}${lineEnd}${indent.repeat(depth - 1)}` : member };
}
