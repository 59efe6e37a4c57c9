/** Writes the pages generated from the code: `npm run docs`. A test fails if one of them is out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { deviceFactsSchema } from '../src/core/model/device-facts.ts';
import type { PreflightFix } from '../src/core/model/preflight-fix.ts';
import { factOptions } from '../src/core/preflight/fixes.ts';
import { type NotCheckable, notCheckable } from '../src/core/preflight/not-checkable.ts';
import { projectRules } from '../src/core/preflight/project-rules.ts';
import { rules } from '../src/core/preflight/registry.ts';
import type { Rule } from '../src/core/preflight/rule.ts';
import { errorsPage, errorsPath } from './errors-page.ts';
import { cell } from './markdown.ts';
import { serverPagePath, withPermissionTable } from './permission-table.ts';

/** Path of docs/never-brick.md. */
export const neverBrickPath = fileURLToPath(new URL('never-brick.md', import.meta.url));

/** Returns the path of a rule's test, relative to the repository. */
export function testOf(id: string): string {
  return `test/core/preflight/rules/${id}.test.ts`;
}

/** Description of each fact. A fact of the schema that is missing here is a compile error. */
const factWords = {
  core: 'core that the running sketch was built with, such as `3.1.2`, `v3.1.2`, `esp8266:3.1.2`, `2.7.4.9` or `unknown`',
  signing: '`none` or `required`: whether the device verifies signatures',
  keyFingerprint: 'SHA-256 of the DER SubjectPublicKeyInfo of the key that the device verifies with, in hex',
  guard:
    'checks of the guard in the running sketch, as `image.guard` in a manifest: `keys`, `product`, `securityVersion`, `require`',
  format: 'signature format, `current` or `legacy`; defaults to the format of the core (the boundary is 2.6.0)',
  flashMode: '`qio`, `qout`, `dio` or `dout`: byte 2 of the image header in flash',
  chipSizeBytes: 'size of the flash chip on the board',
  fsStart: 'start of the filesystem: `_FS_start` minus 0x40200000',
  fsEnd: 'end of the filesystem: `_FS_end` minus 0x40200000; equal to `fsStart` if there is none',
  sketchSizeBytes: 'result of `ESP.getSketchSize()`',
  transport: '`espota`, `web` (ESP8266HTTPUpdateServer) or `http` (ESP8266httpUpdate)',
  flashMap:
    'whether the running sketch was built for the layout "mapping defined by hardware and sketch" (`FLASH_MAP_SUPPORT`)',
  atomicFs: 'whether the running sketch was built with `ATOMIC_FS_UPDATE`',
  kind: '`sketch` or `filesystem`: the kind that the device installs the update as',
  project: 'project of the running sketch',
  board: 'board of the device, such as `d1_mini`',
} as const satisfies Record<keyof typeof deviceFactsSchema.entries, string>;

function optionOf(name: ReturnType<typeof factNames>[number]): string {
  return name === 'guard' ? '' : `\`${factOptions[name]}\``;
}

/** Description of each fix, and of its keys. A fix that is missing here is a compile error. */
const fixWords = {
  send: ['send a different artifact of the build, which no rule blocks', '`artifact`, `form`'],
  unblock: ['fix what blocks a different artifact, then send it', '`artifact`'],
  add: ['pack the image again and send an artifact of this form', '`form`'],
  pack: ['pack the image again', '`mostBytes`, `metadata`'],
  'append-first': ['append data to the image before the image is compressed', ''],
  sign: ['sign the artifact with this key or in this format', '`keyFingerprint`, `format`'],
  build: [
    'build an image with these properties',
    '`core`, `flashMode`, `flashSizeBytes`, `fsStart`, `fsEnd`, `partitionBytes`, `mostBytes`, `project`, `board`',
  ],
  'embed-key': ['build the sketch with this public key', '`keyFingerprint`'],
  prove: ['prove that the sketch verifies updates', '`by`'],
  'update-first': ['first send a sketch with these properties', '`core`, `atomicFs`, `mostBytes`'],
  specify: ['specify facts about the device', '`facts`, `options`'],
  transport: ['use one of these transports', '`transports`, `options`'],
  'send-as': ['send the update as this kind', '`kind`, `options`'],
  allow: ['allow the rule, if its consequence is acceptable', '`rule`, `options`'],
  'fix-rule': ['fix the error of this rule', '`rule`'],
  serial: ['no fix over the air: flash the device over serial', ''],
} as const satisfies Record<PreflightFix['action'], readonly [string, string]>;

/** Returns the text of docs/never-brick.md. */
export function neverBrickPage(): string {
  return `<!-- Generated from src/core/preflight by \`npm run docs\`; do not edit. -->

# Preflight

An ESP8266 does not check an update as a whole. The Updater compares a few bytes, and eboot copies or inflates the update without verifying
the result. A signature proves who signed the bytes, not that they fit the device. Each known failure that a host can predict has a rule on
this page, and all rules run before anything is sent.

\`\`\`sh
ota-hooks preflight build/door.ino.bin.gz.signed --device door.json
ota-hooks preflight build/door.ino.bin.ota.json --core 2.7.4 --signing required --layout 4m2m --transport espota
\`\`\`

The first command checks one file. The second checks a build; its result is one of these:

- the smallest artifact that is safe for the device;
- several artifacts to send one after the other (\`--via\` names the sketches that can serve as intermediate releases);
- a blocked update, with one row for each artifact, and the best candidate: of the artifacts whose form the device can use, the one that
  the fewest rules block. The result names its rules, the sizes and facts, and the fixes.

\`upload\`, \`publish\` and the server use the same planner; \`pack\` runs the rules that do not need a device. Exit code 0 means safe, 3 means
blocked. To send a blocked update, allow each rule by name with \`--allow RULE\`; no option allows all rules at once.

## Allow a rule in the project

If a rule does not apply to your project, allow the rule in \`ota.config.json\`, with the reason:

\`\`\`json
{ "allow": { "other-project": "The devices run the firmware of their manufacturer until the first update." } }
\`\`\`

The Arduino IDE uses the configuration beside the sketch. In \`platformio.ini\`, write one rule and its reason on each line of
\`custom_ota_allow\`:

\`\`\`ini
custom_ota_allow =
    other-project: The devices run the firmware of their manufacturer until the first update.
\`\`\`

Every build and every upload prints a warning for each allowed rule. The manifest contains the rules and the reasons, and the server's
dashboard shows them with the release. A project can allow only these rules: ${projectRules.map((id) => `\`${id}\``).join(', ')}.
The other rules concern proof, keys and signatures. A pull request could change the configuration, so these rules can be allowed only on the
command line (\`--allow\`).

## Facts about a device

Pass \`--device FACTS.json\`, or one option for each fact. Every key is optional, and a missing fact counts as unknown.

| key | option | description |
| --- | --- | --- |
${factNames()
  .map((name) => `| \`${name}\` | ${optionOf(name)} | ${factWords[name]} |`)
  .join('\n')}

\`--request FILE\` reads the header lines of an HTTP update request. They contain the chip size, the sketch size and the free space; the sum
of the free space and the sketch size in whole sectors is the start of the filesystem. With \`--reference MANIFEST\`, the running build is
recognized by its sketch MD5, which provides the core, the key and the flash mode.

Unknown facts are never guessed:

- Gzip requires a known core, 2.7.0 or later, and a known flash mode, chip size and filesystem start. It also requires the size of the running
  sketch, unless the transport is espota or http. Signed gzip requires a device that is known to verify signatures.
- An unknown fact about the device does not block a raw artifact, with one exception: an unsigned artifact is blocked if the project has a
  key. If the partition size is unknown, the superblock limits the combined size of the image and its signature.
- An unknown fact about the *image* is a warning.
- If the project has a key, an unknown device is sent only raw signed artifacts.

## Rules

| rule | condition | severity | cores | evidence | test |
| --- | --- | --- | --- | --- | --- |
${rules.map(ruleRow).join('\n')}

An error blocks the update; a warning does not. The test for each rule has a case that triggers it and the closest case that does not.

In addition, [a model of the device](../src/core/device-model) (the transports, the Updater, eboot and its inflater over one flash) tests
the rules as a whole, with over ten thousand updates per run: every update that the rules consider safe ends with the image in flash, and
the rules block every update that does not (\`test/core/preflight/model-agreement.test.ts\`). Some rules block more than the model shows, because
they concern the time after the update: \`flash-mode-gz\` (what the chip and its wiring support), \`flash-size\` (the next update),
\`fs-size-mismatch\` (mounting), \`embedded-key-other\`, \`embedded-key-missing\`, \`ec-key\` and \`enforcement-unproven\` (who can send the next
update), \`bad-core-2.7.0\` and \`bad-core-2.7.2\` for images, \`fs-moved\`, \`other-project\`.

## Fixes

Every error has at least one fix, and each fix removes the error (\`test/core/preflight/fixes.test.ts\` applies the fixes to random devices
and builds). With \`--json\`, \`blockedBy\` contains the rules that block the best candidate, and \`blockedArtifacts\` the rules that block each
artifact. For each rule, \`fix\` contains the text of the fixes, and \`fixes\` contains the fixes as data:

| \`action\` | fix | other keys |
| --- | --- | --- |
${Object.entries(fixWords)
  .map(([action, [words, keys]]) => `| \`${action}\` | ${words} | ${keys} |`)
  .join('\n')}

## Limits of preflight

| failure | condition | why it cannot be checked | evidence |
| --- | --- | --- | --- |
${notCheckable.map(notCheckableRow).join('\n')}
`;
}

/** Returns the names of all facts. `Object.keys` returns strings, but all keys of the table are names of facts. */
function factNames(): readonly (keyof typeof factWords)[] {
  return Object.keys(factWords) as (keyof typeof factWords)[];
}

function ruleRow({ id, condition, severity, cores, evidence }: Rule): string {
  const test = `[test](../${testOf(id)})`;
  return `| \`${id}\` | ${cell(condition)} | ${severity} | ${cell(cores)} | ${evidence.map(linked).join('; ')} | ${test} |`;
}

function notCheckableRow({ id, condition, why, evidence }: NotCheckable): string {
  return `| ${id} | ${cell(condition)} | ${cell(why)} | ${evidence.map(linked).join('; ')} |`;
}

/** Turns `owner/name#7` into a link. */
function linked(evidence: string): string {
  return cell(evidence).replace(
    /([\w.-]+\/[\w.-]+)#(\d+)/g,
    (whole, repository: string, number: string) => `[${whole}](https://github.com/${repository}/issues/${number})`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(neverBrickPath, neverBrickPage());
  writeFileSync(errorsPath, errorsPage());
  writeFileSync(serverPagePath, withPermissionTable(readFileSync(serverPagePath, 'utf8')));
}
