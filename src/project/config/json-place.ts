/** Position in a text as editors show it; line and column count from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

const whitespace = /[\t\n\r ]*/y;
const punctuation = /[{}[\],:]/y;
const text = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end' | 'nothing more';

/**
 * Returns the position of the first syntax error; undefined if the text is valid JSON. The messages of `JSON.parse` often contain no
 * position and quote the surrounding text instead, which may be a secret that does not belong in the file.
 */
export function placeOfJsonError(json: string): TextPlace | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    at += match(whitespace, json, at).length;
    const token = match(punctuation, json, at) || match(text, json, at) || match(scalar, json, at);
    if (token === '') return at === json.length && expected === 'nothing more' ? undefined : placeOf(json, at);
    const next = step(expected, token, open);
    if (next === undefined) return placeOf(json, at);
    expected = next;
    at += token.length;
  }
}

/** Returns what is expected after a token, or undefined if the token does not match `expected`. */
function step(expected: Expected, token: string, open: ('{' | '[')[]): Expected | undefined {
  const first = token.charAt(0);
  switch (expected) {
    case 'colon':
      return first === ':' ? 'value' : undefined;
    case 'key':
    case 'key or }':
      if (first === '"') return 'colon';
      return first === '}' && expected === 'key or }' ? close(open) : undefined;
    case 'value':
    case 'value or ]':
      if (first === ']' && expected === 'value or ]') return close(open);
      return '},:]'.includes(first) ? undefined : afterValueStart(first, open);
    case 'comma or end':
      if (first === ',') return open.at(-1) === '{' ? 'key' : 'value';
      return first === (open.at(-1) === '{' ? '}' : ']') ? close(open) : undefined;
    case 'nothing more':
      return undefined;
  }
}

function afterValueStart(first: string, open: ('{' | '[')[]): Expected {
  if (first !== '{' && first !== '[') return open.length === 0 ? 'nothing more' : 'comma or end';
  open.push(first);
  return first === '{' ? 'key or }' : 'value or ]';
}

function close(open: ('{' | '[')[]): Expected {
  open.pop();
  return open.length === 0 ? 'nothing more' : 'comma or end';
}

function match(pattern: RegExp, json: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(json)?.[0] ?? '';
}

function placeOf(json: string, offset: number): TextPlace {
  const before = json.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
