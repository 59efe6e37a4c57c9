import { fileURLToPath } from 'node:url';
import { apiProblems } from '../src/api/api-problems.ts';
import { catalog, type ErrorCode, OtaError } from '../src/errors/ota-error.ts';
import { errorExamples } from './error-examples.ts';
import { cell } from './markdown.ts';

/** Where the page lies. */
export const errorsPath = fileURLToPath(new URL('errors.md', import.meta.url));

const codes = Object.keys(catalog) as ErrorCode[];

/** The text of docs/errors.md. */
export function errorsPage(): string {
  return `<!-- Generated from src/errors/ota-error.ts and src/api/api-problems.ts by \`npm run docs\`; do not edit. -->

# Errors, and what to do about them

A command that fails prints the error on one line and a hint below it. With \`--verbose\` it also prints the code of the error, which you can look up
on this page.

\`\`\`
error: No public key at public.key
  Make a pair with: ota-hooks keygen
\`\`\`

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | the operation failed |
| 2 | wrong usage or configuration |
| 3 | blocked: the update is not safe ([the rules](never-brick.md)) |
| 70 | a bug in ota-hooks; include the printed stack in your report |
| 130 | interrupted, usually by Ctrl-C |

The names, sizes and addresses below are examples.

${codes.map(section).join('\n')}
## What an update server answers

Every error response is JSON: \`{"error": {"code", "message", "hint", …}}\`. The code is for programs and never changes. \`ota-hooks\` reports it as
[\`SERVER_REFUSED\`](#server_refused), or as a more specific error if it has one.

| code | status | when | what to do |
| --- | --- | --- | --- |
${Object.entries(apiProblems)
  .map(([code, { status, when, whatToDo }]) => `| \`${code}\` | ${status} | ${cell(when)} | ${cell(whatToDo)} |`)
  .join('\n')}
`;
}

function section(code: ErrorCode): string {
  const { why, exitCode } = catalog[code];
  const cases = errorsOf(code);
  const hints = [...new Set(cases.map(({ hint }) => hint))];
  return `## ${code}

${cases.map(({ message }) => `> ${prose(message)}`).join('\n>\n')}

- Why: ${prose(why)}
- What to do: ${hints.map(prose).join(' Or: ')}
- Exit code: ${exitCode}
`;
}

/** The error with the facts of each example. */
export function errorsOf(code: ErrorCode): readonly OtaError[] {
  // The table of examples has the fields of each code, which a lookup by any code forgets.
  return errorExamples[code].map((fields) => new OtaError(code, fields as never));
}

/** Markdown leaves the insides of \`code\` alone; elsewhere its signs are to be seen. */
function prose(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/([*[\]])/g, '\\$1').replaceAll('<', '&lt;')))
    .join('');
}
