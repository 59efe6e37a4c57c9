/** Writes the pages that are made from the code itself: `npm run docs`. A test fails when one of them is stale. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { deviceFactsSchema } from '../src/core/model/device-facts.ts';
import { type NotCheckable, notCheckable } from '../src/core/preflight/not-checkable.ts';
import { rules } from '../src/core/preflight/registry.ts';
import type { Rule } from '../src/core/preflight/rule.ts';
import { errorsPage, errorsPath } from './errors-page.ts';
import { cell } from './markdown.ts';

/** Where the page lies. */
export const neverBrickPath = fileURLToPath(new URL('never-brick.md', import.meta.url));

/** Where the test of a rule lies, from the top of the repository. */
export function testOf(id: string): string {
  return `test/core/preflight/rules/${id}.test.ts`;
}

/** What each fact means to the rules; a fact that the schema has and this table has not is a compile error. */
const factWords = {
  core: 'the release of the core that the present sketch was built with; anything else counts as unknown',
  signing: '`none` or `required`: whether it verifies signatures',
  keyFingerprint: 'SHA-256 of the DER SubjectPublicKeyInfo that it verifies with, in hex',
  format: '`current` or `legacy`; by default what its core says (the boundary is 2.6.0)',
  flashMode: '`qio`, `qout`, `dio` or `dout`: byte 2 of the header in its flash',
  chipSizeBytes: 'of the flash chip that is soldered on',
  fsStart: 'where the filesystem starts: `_FS_start` less 0x40200000',
  fsEnd: 'where it ends; the same as `fsStart` where there is none',
  sketchSizeBytes: 'what `ESP.getSketchSize()` says',
  transport: '`espota`, `web` (ESP8266HTTPUpdateServer) or `http` (ESP8266httpUpdate)',
  atomicFs: 'whether it was built with `ATOMIC_FS_UPDATE`',
  kind: '`sketch` or `filesystem`: what it will take the update for',
  project: 'of the present sketch',
  board: 'such as `d1_mini`',
} as const satisfies Record<keyof typeof deviceFactsSchema.entries, string>;

/** The text of docs/never-brick.md. */
export function neverBrickPage(): string {
  return `<!-- Generated from src/core/preflight by \`npm run docs\`; do not edit. -->

# Updates that do not brick, lock out or un-secure a device

Nothing on an ESP8266 checks an update as a whole. The Updater compares a few bytes, eboot copies or inflates what it was told without looking
back, and a signature says who made some bytes, not that they fit. Every way in which that was seen to go wrong is a rule here; each is asked
before anything is sent.

\`\`\`sh
ota-hooks preflight build/door.ino.bin.gz.signed --device door.json
ota-hooks preflight build/door.ino.bin.ota.json --core 2.7.4 --signing required --layout 4m2m --transport espota
\`\`\`

The first asks about one file, the second about a build: then the answer is the smallest artifact that is safe, or several that are to be sent
one after the other (\`--via\` names sketches that the device may go through), or a refusal that names every rule in the way. \`upload\`,
\`publish\` and the server ask the same planner; \`pack\` asks the rules that need no device. Exit code 0 is safe, 3 is refused. The only way
past a rule is its name, \`--allow RULE\`; there is no switch for all of them.

## What is known of a device

\`--device FACTS.json\`, or an option for each. Every key is optional, and an absent one is unknown.

| key | option | what it is |
| --- | --- | --- |
${Object.entries(factWords)
  .map(([name, words]) => `| \`${name}\` | \`--${optionOf(name)}\` | ${words} |`)
  .join('\n')}

\`--request FILE\` takes the header lines of an HTTP update request: they tell the chip, the size of the sketch, and the start of the filesystem
(free space + sketch, in whole sectors). With \`--reference MANIFEST\` the build that runs is recognized by its sketch MD5, and with it the core, the
key and the flash mode.

What is not known is not guessed:

- gzip needs a known core from 2.7.0 on, flash mode, chip size and start of the filesystem, and the size of the present sketch unless the
  transport is espota or http; signed gzip needs a device that is known to verify;
- a raw artifact is refused for nothing that is not known of a device (a filesystem that would not fit with its signature is bounded by its own
  superblock then);
- what is not known of an *image* is a warning;
- an unknown device of a project with a key gets raw signed artifacts and nothing else.

## The rules

| rule | when it objects | then | cores | evidence | test |
| --- | --- | --- | --- | --- | --- |
${rules.map(ruleRow).join('\n')}

Of each rule the test has a case that trips it and the nearest one that does not. Beyond that, [a model of the device](../src/core/device-model) (the
transports, the Updater, eboot and its inflater over one flash) judges the rules as a whole: over ten thousand updates a run, what the rules call
safe ends with the image in flash, and whatever ends otherwise was refused (\`test/core/preflight/model-agreement.test.ts\`). These rules refuse
more than the model shows, since they speak of what comes after the update: \`flash-mode-gz\` (what the chip and its wiring can do),
\`flash-size\` (the next update), \`fs-size-mismatch\` (the mount), \`embedded-key-other\`, \`embedded-key-missing\`, \`ec-key\` and
\`enforcement-unproven\` (who may update next), \`bad-core-2.7.0\` and \`bad-core-2.7.2\` for images, \`fs-moved\`, \`other-project\`.

## What a host cannot see

| what | when | why it cannot be checked | evidence |
| --- | --- | --- | --- |
${notCheckable.map(notCheckableRow).join('\n')}
`;
}

function ruleRow({ id, condition, severity, cores, evidence }: Rule): string {
  const test = `[test](../${testOf(id)})`;
  return `| \`${id}\` | ${cell(condition)} | ${severity} | ${cell(cores)} | ${evidence.map(linked).join('; ')} | ${test} |`;
}

function notCheckableRow({ id, condition, why, evidence }: NotCheckable): string {
  return `| ${id} | ${cell(condition)} | ${cell(why)} | ${evidence.map(linked).join('; ')} |`;
}

/** `owner/name#7` becomes a link. */
function linked(evidence: string): string {
  return cell(evidence).replace(
    /([\w.-]+\/[\w.-]+)#(\d+)/g,
    (whole, repository: string, number: string) => `[${whole}](https://github.com/${repository}/issues/${number})`,
  );
}

const optionNames: Readonly<Record<string, string>> = {
  keyFingerprint: 'key-fingerprint',
  flashMode: 'flash-mode',
  chipSizeBytes: 'chip-size',
  fsStart: 'fs-start',
  fsEnd: 'fs-end',
  sketchSizeBytes: 'sketch-size',
  atomicFs: 'atomic-fs',
};

function optionOf(fact: string): string {
  return optionNames[fact] ?? fact;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(neverBrickPath, neverBrickPage());
  writeFileSync(errorsPath, errorsPage());
}
