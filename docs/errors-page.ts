import { fileURLToPath } from 'node:url';
import { apiProblems } from '../src/api/api-problems.ts';
import { apiEntries } from '../src/errors/catalog/api.ts';
import { cliEntries } from '../src/errors/catalog/cli.ts';
import { coreEntries } from '../src/errors/catalog/core.ts';
import { deliveryEntries } from '../src/errors/catalog/delivery.ts';
import { filesEntries } from '../src/errors/catalog/files.ts';
import { optionEntries } from '../src/errors/catalog/options.ts';
import { projectEntries } from '../src/errors/catalog/project.ts';
import { publishingEntries } from '../src/errors/catalog/publishing.ts';
import { serverEntries } from '../src/errors/catalog/server.ts';
import { simulatorEntries } from '../src/errors/catalog/simulator.ts';
import { catalog, type ErrorCode, OtaError } from '../src/errors/ota-error.ts';
import { errorExamples } from './error-examples.ts';
import { cell } from './markdown.ts';

/** Path of docs/errors.md. */
export const errorsPath = fileURLToPath(new URL('errors.md', import.meta.url));

/** Chapters of the page. */
const chapters = {
  'Commands and their options': { ...cliEntries, ...optionEntries },
  'Projects and builds': projectEntries,
  'Keys, images and preflight': coreEntries,
  Files: filesEntries,
  Publishing: publishingEntries,
  'Updates of devices': deliveryEntries,
  'Virtual devices': simulatorEntries,
  'Connections to a server': apiEntries,
  'Running a server': serverEntries,
} as const;

/** Returns the text of docs/errors.md. */
export function errorsPage(): string {
  const keyNotFound = new OtaError('KEY_NOT_FOUND', { path: 'public.key', kind: 'public' });
  return `<!-- Generated from src/errors/catalog and src/api/api-problems.ts by \`npm run docs\`; do not edit. -->

# Errors, and what to do about them

A command that fails prints one line with the code of the error, what failed and why. The line below it is a hint: what you can do next.

\`\`\`
$ ota-hooks header --public-key public.key --out Updater_Signing.h
error[KEY_NOT_FOUND]: ${keyNotFound.message}
  ${keyNotFound.hint}
\`\`\`

Look up the code on this page to see the reason behind it; \`--verbose\` prints the reason too. Scripts can rely on the code
and on the exit code. Both lines go to stderr.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | the operation failed |
| 2 | wrong usage or configuration |
| 3 | blocked: the update is not safe ([the rules](never-brick.md)) |
| 70 | a bug in ota-hooks; include the printed stack in your report |
| 130 | interrupted, usually by Ctrl-C |

Names, sizes and addresses on this page are examples.

${Object.entries(chapters).map(chapter).join('\n')}
## Responses of an update server

Every error response is JSON: \`{"error": {"code", "message", "hint", …}}\`. The code is for programs and never changes. \`ota-hooks\` reports it as
[\`SERVER_REJECTED\`](#server_rejected), or as a more specific error if it has one.

| code | status | when | what to do |
| --- | --- | --- | --- |
${Object.entries(apiProblems)
  .map(([code, { status, when, whatToDo }]) => `| \`${code}\` | ${status} | ${cell(when)} | ${cell(whatToDo)} |`)
  .join('\n')}
`;
}

function chapter([title, entries]: readonly [string, object]): string {
  // Chapters consist of parts of the catalog.
  const codes = Object.keys(entries) as ErrorCode[];
  return `## ${title}\n\n${codes.map(section).join('\n')}`;
}

function section(code: ErrorCode): string {
  const { why, exitCode } = catalog[code];
  const cases = errorsOf(code);
  const hints = [...new Set(cases.map(({ hint }) => hint))];
  return `### ${code}

${cases.map(({ message }) => `> ${prose(message)}`).join('\n>\n')}

- Why: ${prose(why)}
- What to do: ${hints.map(prose).join(' Or: ')}
- Exit code: ${exitCode}
`;
}

/** Returns the error for each example. */
export function errorsOf(code: ErrorCode): readonly OtaError[] {
  // The table has the right fields for each code, but TypeScript loses this relation when the table is indexed by an arbitrary code.
  return errorExamples[code].map((fields) => new OtaError(code, fields as never));
}

/** Escapes text for Markdown, except in `code`. */
function prose(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/([*[\]])/g, '\\$1').replaceAll('<', '&lt;')))
    .join('');
}
