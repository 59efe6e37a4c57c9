import type * as v from 'valibot';
import { mostBlobBytes, type releaseRequestSchema } from '../../../api/release.ts';
import { isPrivateKeyFile } from '../../../core/firmware/private-keys.ts';
import { type Artifact, parseManifest } from '../../../core/model/manifest.ts';
import type { TokenRecord } from '../../storage/records.ts';
import { DomainError } from '../domain-error.ts';
import type { ServiceParts } from '../parts.ts';
import { type PublishInput, prepareRelease } from './prepare-release.ts';
import { type PublishOutcome, publishRelease, verifyRelease } from './publish-release.ts';

/** File that a person selected, in memory. */
export interface SelectedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

type ReleaseSettings = Omit<v.InferOutput<typeof releaseRequestSchema>, 'version' | 'manifest'>;

export interface FilesToPublish extends ReleaseSettings {
  readonly project: string;
  /** Undefined for the version in the manifest. */
  readonly version: string | undefined;
  /** A manifest and the artifacts that it lists, in any order. */
  readonly files: readonly SelectedFile[];
  readonly publisher: TokenRecord;
}

const packHint = 'Pack the build with `ota-hooks pack`, and select the manifest and the artifacts of this build.';

/**
 * Publishes a manifest and its artifacts. All checks that need no stored bytes are made before the first artifact is stored, and the
 * release is published in one step. Artifacts of a release that is then rejected are removed like those of an unfinished `publish`.
 *
 * @throws DomainError invalid, not-as-described, too-large, private-key, and the errors of `verifyRelease` and `publishRelease`
 */
export async function publishFiles(parts: ServiceParts, input: FilesToPublish): Promise<PublishOutcome> {
  const { project, files, publisher, version, ...settings } = input;
  const { text, described, artifacts } = await matchFiles(files);
  const named = version ?? described;
  if (named === undefined) {
    throw new DomainError(
      'invalid',
      'the manifest contains no version',
      'Enter the version, or pack the build with --version.',
    );
  }
  const request = { ...settings, version: named, manifest: text };
  const question = { project, request, by: publisher.id, publisher };
  const missing = await missingBlobs(parts, question);
  const absent = missing.filter(({ sha256 }) => !artifacts.some(({ artifact }) => artifact.sha256 === sha256));
  if (absent.length > 0) {
    const message = `missing artifacts: ${absent.map(({ file }) => file).join(', ')}`;
    throw new DomainError('blobs-missing', message, 'Select these files as well.', { missing: absent });
  }
  for (const { artifact, bytes } of artifacts) {
    if (missing.some(({ sha256 }) => sha256 === artifact.sha256)) {
      await storeArtifact(parts, publisher, artifact, bytes);
    }
  }
  const verified = await verifyRelease(parts, question);
  return publishRelease(parts, question, verified);
}

interface MatchedFiles {
  /** Text of the manifest. */
  readonly text: string;
  /** Version in the manifest. */
  readonly described: string | undefined;
  readonly artifacts: readonly { readonly artifact: Artifact; readonly bytes: Uint8Array }[];
}

/** Finds the manifest among the files, and the artifact in the manifest for each other file. */
async function matchFiles(files: readonly SelectedFile[]): Promise<MatchedFiles> {
  const keys = files.filter(({ bytes }) => isPrivateKeyFile(bytes)).map(({ name }) => name);
  if (keys.length > 0) {
    const hint = 'Generate a new key pair: the server stored nothing, but the key has left your machine.';
    throw new DomainError('private-key', `${keys.join(', ')} is a private key`, hint);
  }
  const names = files.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new DomainError('invalid', `two of the files are named ${twice}`, 'Select the files of one build.');
  }
  const manifests = files.filter(({ name }) => name.endsWith('.json'));
  const [file] = manifests;
  if (file === undefined) throw new DomainError('invalid', 'none of the files is a manifest (*.json)', packHint);
  if (manifests.length > 1) {
    const message = `several manifests were selected: ${manifests.map(({ name }) => name).join(', ')}`;
    throw new DomainError('invalid', message, 'Publish one build at a time.');
  }
  const text = Buffer.from(file.bytes).toString('utf8');
  const parsed = parseManifest(text);
  if ('reason' in parsed) {
    const hint = parsed.newerFormat === undefined ? packHint : 'Update ota-hooks on the server.';
    throw new DomainError('invalid', `${file.name} is not a manifest: ${parsed.reason}`, hint);
  }
  const { manifest } = parsed;
  const artifacts = [];
  for (const { name, bytes } of files.filter((each) => each !== file)) {
    const artifact = manifest.artifacts.find((each) => each.file === name);
    if (artifact === undefined) {
      const listed = manifest.artifacts.map((each) => each.file).join(', ');
      const message = `${name} is not an artifact of ${file.name}`;
      throw new DomainError('invalid', message, `Select only the manifest and its artifacts: ${listed}.`);
    }
    await requireBytes(artifact, bytes, file.name);
    artifacts.push({ artifact, bytes });
  }
  return { text, described: manifest.version, artifacts };
}

async function requireBytes({ file, sha256 }: Artifact, bytes: Uint8Array, manifest: string): Promise<void> {
  if (bytes.length > mostBlobBytes) {
    const message = `${file} has ${bytes.length} bytes; an artifact must not exceed ${mostBlobBytes} bytes`;
    throw new DomainError('too-large', message, 'Check the file: no ESP8266 has more flash.');
  }
  // Web Crypto computes the digest in another thread.
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(bytes))).toString('hex');
  if (digest === sha256) return;
  throw new DomainError(
    'not-as-described',
    `the content of ${file} is not the one that ${manifest} describes`,
    packHint,
  );
}

/** Checks the release, and returns the artifacts that the server does not have yet. */
async function missingBlobs(parts: ServiceParts, question: PublishInput) {
  try {
    await prepareRelease(parts, question);
    return [];
  } catch (error) {
    if (error instanceof DomainError && error.code === 'blobs-missing') return error.more.missing ?? [];
    throw error;
  }
}

async function storeArtifact(
  { uploads }: ServiceParts,
  publisher: TokenRecord,
  { sha256 }: Artifact,
  bytes: Uint8Array,
): Promise<void> {
  // An upload of the same file by `publish` may have been interrupted.
  const { offset } = await uploads.state(publisher, sha256);
  const chunks = onePiece(bytes.subarray(offset));
  const state = await uploads.append(publisher, sha256, { offset, totalBytes: bytes.length, chunks });
  if (typeof state === 'object' && state.complete) return;
  throw new DomainError('conflict', 'the same file is being uploaded by another request', 'Publish the files again.');
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
