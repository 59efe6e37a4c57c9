import * as v from 'valibot';
import { type ApiResponse, type ClientOptions, connect, type SendApiRequest } from '../../api/client/connection.ts';
import { channelResponse, releaseResponse } from '../../api/client/responses.ts';
import { signatureRecord } from '../../api/client/signature-record.ts';
import type { ReleaseRequest } from '../../api/release.ts';
import { OtaError } from '../../errors/ota-error.ts';
import type { Publication, Published, Publisher, ShowUpload } from '../publication.ts';
import { rejectionOf } from './rejection.ts';
import { uploadBlob } from './upload-blob.ts';

export interface ServerPublisherOptions extends ClientOptions {
  readonly showUpload?: ShowUpload;
}

const withoutProgress: ShowUpload = (_, __, send) => send(() => undefined);

/**
 * Maximum number of publish requests per release. Missing blobs are uploaded once, or twice if the server has deleted blobs in the
 * meantime.
 */
const maxRounds = 3;

/** Returns a publisher for an update server. */
export function serverPublisher(options: ServerPublisherOptions): Publisher {
  const request = connect(options);
  const showUpload = options.showUpload ?? withoutProgress;
  return {
    publish: (publication) => publishToServer(publication, request, showUpload),
    countDevices: (publication) => countDevices(publication, request),
    signatures: signatureRecord(request),
  };
}

/**
 * Sends a publish request, uploads the blobs that the server reports as missing, and sends the request again. Repeating a publication
 * changes nothing.
 *
 * @throws OtaError VERSION_TAKEN, UPDATE_BLOCKED, SERVER_REJECTED, ARTIFACT_CHANGED, and connection errors
 */
async function publishToServer(
  publication: Publication,
  request: SendApiRequest,
  showUpload: ShowUpload,
): Promise<Published> {
  const { project, version, channel, purpose, manifestText, notes, allow } = publication;
  // `draft` is sent only for drafts. Servers that do not support drafts accept all other requests.
  let target: Pick<ReleaseRequest, 'draft' | 'channel'> = channel === undefined ? { draft: true } : { channel };
  for (let round = 1; ; round++) {
    const common = { version, purpose, manifest: manifestText, allow: [...allow] };
    // Servers that do not support notes accept requests without them.
    const json: ReleaseRequest = { ...common, ...target, ...(notes !== undefined && { notes }) };
    const response = await request({ method: 'POST', path: `/projects/${project}/releases`, json, isRepeatable: true });
    if (response.problem === undefined) return outcomeOf(response, target.channel, publication);
    const { code, missing } = response.problem;
    if (code === 'channel-not-permitted' && target.channel !== undefined) {
      target = { draft: true };
      continue;
    }
    if (code !== 'blobs-missing' || missing === undefined || round === maxRounds)
      throw rejectionOf(response, publication);
    for (const { sha256 } of missing) {
      const artifact = publication.manifest.artifacts.find((each) => each.sha256 === sha256);
      // Only artifacts listed in the manifest are sent, even if the server requests other files.
      if (artifact === undefined) throw rejectionOf(response, publication);
      const bytes = await publication.readArtifact(artifact.file);
      await showUpload(artifact, publication.manifest, (onStored) => uploadBlob(request, sha256, bytes, { onStored }));
    }
  }
}

function outcomeOf(
  response: Extract<ApiResponse, { json: unknown }>,
  channel: string | undefined,
  { channel: wanted }: Publication,
): Published {
  const parsed = v.safeParse(releaseResponse, response.json);
  if (!parsed.success) throw new OtaError('SERVER_NOT_OURS', { url: response.url, status: response.status });
  const { outcome, release, warnings } = parsed.output;
  const { channels } = release;
  const current = channel === undefined ? channels.length > 0 : channels.includes(channel);
  return { outcome, current, warnings, ...(wanted !== channel && { notOn: wanted }) };
}

/** Returns undefined for drafts, new projects, channels on which the token may not promote releases, and servers that do not respond. */
async function countDevices({ project, channel }: Publication, request: SendApiRequest): Promise<number | undefined> {
  if (channel === undefined) return undefined;
  const response = await request({ method: 'GET', path: `/projects/${project}/channels/${channel}` });
  const parsed = v.safeParse(channelResponse, response.problem === undefined ? response.json : undefined);
  return parsed.success && parsed.output.mayPromote ? parsed.output.devices : undefined;
}
