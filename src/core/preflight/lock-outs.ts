import { productDigest } from '../firmware/update-metadata.ts';
import { allow } from './fixes.ts';
import { packForGuard } from './guarded.ts';
import type { Release, ReleaseArtifact } from './release.ts';
import { error, type Rule } from './rule.ts';
import { factsOfBuild } from './running.ts';

/** Rules about changes after which devices that run the last release could not be updated any more. */

const guardCheck = 'Updater_Signing.h of ota-hooks: check';

const lockoutProduct = {
  id: 'lockout-product',
  condition:
    'The product differs from that of the guard in the last release, or in a build that devices of the server run: these devices reject the release. Allow this rule if no device needs the update.',
  severity: 'error',
  cores: 'device with the guard',
  evidence: [guardCheck, 'Updater.cpp end'],
  check({ release, artifact, previous }) {
    const guard = previous?.image.guard;
    if (guard === undefined || previous === undefined || !isChecked(release, artifact, guard.require)) return undefined;
    if (productDigest(release.metadata?.product) === guard.product) return undefined;
    const before = previous.metadata?.product ?? guard.product;
    return error(
      `the product is ${release.metadata?.product ?? 'not set'}, but devices that run ${nameOf(previous)} accept only ${before}: they would reject the release with ERROR 12`,
      packForGuard(guard),
      allow('lockout-product'),
    );
  },
} as const satisfies Rule;

const lockoutKey = {
  id: 'lockout-key',
  condition:
    'The key that signs the release is not a key that the last release accepts, or a build that devices of the server run: these devices reject the release. A hop (`pack --hop`) is signed with a key that they accept.',
  severity: 'error',
  cores: 'all that verify signatures',
  evidence: ['esp8266/Arduino#7145', 'Updater.cpp end', guardCheck],
  check({ release, previous }) {
    if (previous === undefined) return undefined;
    const accepted = acceptedKeys(previous);
    const [expected] = accepted;
    const { publicKey, previousKey } = release.signing;
    const signing = (previousKey ?? publicKey)?.fingerprint;
    if (expected === undefined || (signing !== undefined && accepted.includes(signing))) return undefined;
    const signed = signing === undefined ? 'unsigned' : `signed with key ${short(signing)}${sizeText(release)}`;
    return error(
      `the release is ${signed}, but devices that run ${nameOf(previous)} accept only ${accepted.length === 1 ? 'key' : 'keys'} ${accepted.map(short).join(', ')}${sizeText(previous)}: they would reject it with ERROR 12`,
      { action: 'sign', keyFingerprint: expected },
      allow('lockout-key'),
    );
  },
} as const satisfies Rule;

const lockoutSecurityVersion = {
  id: 'lockout-security-version',
  condition:
    'The security version is lower than that of the last release, so that devices with the guard reject the release; or it is higher by more than 1, after which no lower number can ever be installed. The server compares with the builds that devices run.',
  severity: 'error',
  cores: 'device with the guard',
  evidence: [guardCheck],
  check({ release, previous }) {
    const before = previous && securityVersionOf(previous);
    const own = release.metadata?.securityVersion;
    if (previous === undefined || before === undefined || own === undefined) return undefined;
    if (own === before || own === before + 1) return undefined;
    const name = nameOf(previous);
    const message =
      own < before
        ? `the security version goes down to ${own}, but devices that run ${name} accept only ${before} or higher: with the guard, they would reject the release with ERROR 12`
        : `the security version jumps from ${before} in ${name} to ${own}: after this release, devices with the guard accept only ${own} or higher, and no release can lower it`;
    const product = previous.image.guard?.product ?? productDigest(previous.metadata?.product);
    const securityVersion = own < before ? before : before + 1;
    return error(
      message,
      { action: 'pack', metadata: { product, securityVersion } },
      allow('lockout-security-version'),
    );
  },
} as const satisfies Rule;

export const lockOutRules = [lockoutProduct, lockoutKey, lockoutSecurityVersion] as const;

/** Returns the security version that devices with this build require of the next update; undefined if it is unknown. */
export function securityVersionOf({ image, metadata }: Release): number | undefined {
  return image.guard?.securityVersion ?? metadata?.securityVersion;
}

/** Returns whether the guard checks an artifact: a raw artifact without metadata passes a guard that requires only the signature. */
function isChecked({ metadata }: Release, { encoding }: ReleaseArtifact, require: 'signature' | 'metadata'): boolean {
  const isMarked = metadata !== undefined && (encoding === 'gzip' || metadata.raw);
  return isMarked || require === 'metadata';
}

/** Returns the fingerprints of the keys that a device with this build accepts. The project's key counts, also without a proof. */
function acceptedKeys(release: Release): readonly string[] {
  const { guard } = factsOfBuild(release);
  const { publicKey } = release.signing;
  return guard?.keys ?? (publicKey === undefined ? [] : [publicKey.fingerprint]);
}

function sizeText({ signing, image }: Release): string {
  // The record of a guard contains no sizes, and its keys may have different ones.
  const bits = image.guard === undefined && signing.previousKey === undefined ? signing.publicKey?.bits : undefined;
  return bits === undefined ? '' : ` (${bits} bits)`;
}

function nameOf({ version }: Release): string {
  return version ?? 'the last release';
}

function short(fingerprint: string): string {
  return `${fingerprint.slice(0, 16)}…`;
}
