import type { DeviceFacts } from '../model/device-facts.ts';
import type { ArtifactForm, BuildChanges, MetadataWish, PreflightFix } from '../model/preflight-fix.ts';

/** Device of a server, whose facts and rules are set with commands of the server. */
export interface ServedDevice {
  readonly project: string;
  readonly mac: string;
}

/**
 * Describes fixes as the end of a sentence that starts with "fix:". Any one of several fixes is sufficient.
 *
 * @param device device of a server; undefined in a command, which has options for the facts
 */
export function fixText(fixes: readonly PreflightFix[], device?: ServedDevice): string {
  const texts = [...new Set(fixes.map((fix) => textOf(fix, device)))];
  return texts.length < 3 ? texts.join(', or ') : `${texts.slice(0, -1).join(', ')}, or ${texts.at(-1)}`;
}

function textOf(fix: PreflightFix, device: ServedDevice | undefined): string {
  switch (fix.action) {
    case 'send':
      return `send ${fix.artifact ?? formText(fix.form)}${fitText(fix)}`;
    case 'unblock':
      return `fix what blocks ${fix.artifact}, then send it`;
    case 'add':
      return device === undefined
        ? `pack the image again${fix.form === 'raw legacy-signed' ? ' (`ota-hooks pack --legacy`)' : ''} and send ${formText(fix.form)}${fitText(fix)}`
        : `publish a release that contains ${formText(fix.form)}${fitText(fix)}`;
    case 'pack':
      if (fix.metadata !== undefined) return metadataText(fix.metadata);
      return fix.mostBytes === undefined
        ? 'pack the image again with ota-hooks, which pads each artifact before signing'
        : `cut off the erased blocks before signing, as \`ota-hooks pack\` does: ${fix.mostBytes} bytes are in use`;
    case 'append-first':
      return 'append the data to the image before the image is compressed';
    case 'sign':
      return signText(fix);
    case 'build':
      return buildText(fix);
    case 'embed-key':
      return fix.keyFingerprint === undefined
        ? 'build with an RSA key (`ota-hooks keygen`)'
        : `build with \`ota-hooks build\` or the PlatformIO hook, so that the sketch contains the public key ${short(fix.keyFingerprint)}, and use ESP8266WiFi in the sketch`;
    case 'prove':
      return fix.by === 'build'
        ? 'build with `ota-hooks build`, which salts the core cache, or clean the cache (`arduino-cli cache clean`)'
        : 'pack the image with its ELF file (--elf), or set "enforcement": "declared" in ota.config.json';
    case 'update-first':
      return `update in two hops: first send ${sketchText(fix)}`;
    case 'specify':
      return device === undefined ? specifyText(fix) : learnText(fix.facts, device);
    case 'transport':
      return `use ${fix.transports.map((name) => (name === 'http' ? 'HTTP' : name)).join(' or ')}`;
    case 'send-as':
      return `send it as a ${fix.kind} image (espota command ${fix.kind === 'sketch' ? 0 : 100})`;
    case 'allow':
      return allowText(fix.rule, device);
    case 'fix-rule':
      return `fix the error ${fix.rule}`;
    case 'serial':
      return 'no fix over the air: flash the device over serial';
  }
}

function metadataText({ product, securityVersion }: MetadataWish): string {
  return `pack the image again with "guard" in ota.config.json, for the product of the device (${product}) and with security version ${securityVersion} or higher`;
}

function formText(form: ArtifactForm): string {
  return form === 'raw legacy-signed' ? 'the raw artifact with a legacy signature' : `the ${form} artifact`;
}

function fitText({ spareBytes, ifCore }: Extract<PreflightFix, { action: 'send' | 'add' }>): string {
  const space = spareBytes === undefined ? '' : ` (it would fit with ${Math.floor(spareBytes / 1024)} KB to spare)`;
  return ifCore === undefined ? space : `${space} if the device runs core ${ifCore} or later`;
}

function signText({ keyFingerprint, format }: Extract<PreflightFix, { action: 'sign' }>): string {
  const words = format === undefined ? '' : ` in the ${format} format`;
  return keyFingerprint === undefined
    ? `sign the build with the key of the device${words}`
    : `sign the artifact with key ${short(keyFingerprint)}${words}`;
}

function buildText(changes: BuildChanges): string {
  const { core, flashMode, flashSizeBytes, fsStart, fsEnd, partitionBytes, mostBytes, project, board } = changes;
  const names = [project && `project ${project}`, board && `board ${board}`].filter((name) => name !== undefined);
  const parts = [
    core && `with core ${core} or later`,
    flashMode && `for flash mode ${flashMode}`,
    flashSizeBytes && `for a flash size of ${flashSizeBytes} bytes`,
    fsStart &&
      `for the flash layout of the device, whose filesystem starts at ${fsStart}${fsEnd === undefined ? '' : ` and ends at ${fsEnd}`}`,
    partitionBytes && `for a filesystem partition of ${partitionBytes} bytes`,
    names.length > 0 && `for ${names.join(' and ')}`,
    mostBytes !== undefined && `with at most ${mostBytes} bytes`,
  ].filter((part) => typeof part === 'string');
  return parts.length === 0
    ? 'build the image again with the ESP8266 Arduino core, or download it again if it was downloaded'
    : `build the image ${parts.join(' ')}`;
}

function sketchText({ core, atomicFs, mostBytes }: Extract<PreflightFix, { action: 'update-first' }>): string {
  const size = mostBytes === undefined ? 'a sketch' : `a smaller sketch of at most ${mostBytes} bytes`;
  const build = core === undefined ? [] : [`core ${core} or later`];
  const properties = atomicFs === true ? [...build, 'ATOMIC_FS_UPDATE'] : build;
  return properties.length === 0 ? size : `${size} built with ${properties.join(' and ')}`;
}

const factWords: Readonly<Record<keyof DeviceFacts, string>> = {
  core: 'core',
  signing: 'signature check',
  keyFingerprint: 'key',
  guard: 'guard',
  format: 'signature format',
  flashMode: 'flash mode',
  chipSizeBytes: 'chip size',
  fsStart: 'start of the filesystem',
  fsEnd: 'end of the filesystem',
  sketchSizeBytes: 'size of the running sketch',
  transport: 'transport',
  flashMap: 'flash map',
  atomicFs: 'ATOMIC_FS_UPDATE setting',
  kind: 'kind of the update',
  project: 'project',
  board: 'board',
};

function specifyText({ facts, options }: Extract<PreflightFix, { action: 'specify' }>): string {
  return `specify the ${facts.map((fact) => factWords[fact]).join(' and the ')} of the device (${options.join(', ')})`;
}

/** Describes how a server learns facts: from its settings, from the device's requests, and from the build that the device runs. */
function learnText(facts: readonly (keyof DeviceFacts)[], { project, mac }: ServedDevice): string {
  const set = (option: string) => `run \`ota-hooks server devices set ${project} ${mac} ${option}\``;
  const ways = facts.map((fact) => {
    switch (fact) {
      case 'atomicFs':
        return set('--atomic-fs yes');
      case 'board':
        return set('--board BOARD');
      case 'chipSizeBytes':
        return 'use a sketch that reports the chip size in its update checks';
      default:
        return 'publish the build that the device runs as a reference build (`ota-hooks publish --reference`)';
    }
  });
  return [...new Set(ways)].join(' and ');
}

function allowText(rule: string, device: ServedDevice | undefined): string {
  const command =
    device === undefined
      ? 'allow this rule'
      : `run \`ota-hooks server devices set ${device.project} ${device.mac} --allow ${rule}\``;
  switch (rule) {
    case 'fs-moved':
      return `if the device can lose its files, ${command}`;
    case 'embedded-key-other':
      return `${command} for an intended key rotation`;
    case 'lockout-product':
    case 'lockout-key':
      return `if no such device needs this or a later update, ${command}`;
    case 'lockout-security-version':
      return `if this is intended, ${command}`;
    default:
      return `${command} if the key is not used to verify updates`;
  }
}

function short(fingerprint: string): string {
  return `${fingerprint.slice(0, 16)}…`;
}
