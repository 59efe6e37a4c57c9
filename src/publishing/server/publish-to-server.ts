import * as v from 'valibot';
import { releaseAnswer } from '../../api/client/answers.ts';
import { type ApiAnswer, type Ask, type ClientOptions, connect } from '../../api/client/connection.ts';
import type { ReleaseRequest } from '../../api/release.ts';
import { OtaError } from '../../errors/ota-error.ts';
import type { Publication, Published, Publisher, ShowUpload } from '../publication.ts';
import { rejectionOf } from './rejection.ts';
import { uploadBlob } from './upload-blob.ts';

export interface ServerPublisherOptions extends ClientOptions {
  readonly showUpload?: ShowUpload;
}

const withoutProgress: ShowUpload = (_, send) => send(() => undefined);

/**
 * Maximum number of publish requests per release. Missing blobs are uploaded once, or twice if the server has deleted blobs in the
 * meantime.
 */
const maxRounds = 3;

/** Returns a publisher for an update server. */
export function serverPublisher(options: ServerPublisherOptions): Publisher {
  const request = connect(options);
  return { publish: (publication) => publishToServer(publication, request, options.showUpload ?? withoutProgress) };
}

/**
 * Sends a publish request, uploads the blobs that the server reports as missing, and sends the request again. Repeating a publication
 * changes nothing.
 *
 * @throws OtaError VERSION_TAKEN, UPDATE_BLOCKED, SERVER_REFUSED, ARTIFACT_CHANGED, and connection errors
 */
async function publishToServer(publication: Publication, request: Ask, showUpload: ShowUpload): Promise<Published> {
  const { project, version, channel, purpose, manifestText, allow } = publication;
  // `draft` is sent only for drafts. Servers that do not support drafts accept all other requests.
  const target = channel === undefined ? { draft: true } : { channel };
  const json: ReleaseRequest = { version, ...target, purpose, manifest: manifestText, allow: [...allow] };
  for (let round = 1; ; round++) {
    const response = await request({ method: 'POST', path: `/projects/${project}/releases`, json, isRepeatable: true });
    if (response.problem === undefined) return outcomeOf(response, publication);
    const { code, missing } = response.problem;
    if (code !== 'blobs-missing' || missing === undefined || round === maxRounds)
      throw rejectionOf(response, publication);
    for (const { sha256 } of missing) {
      const artifact = publication.manifest.artifacts.find((each) => each.sha256 === sha256);
      // Only artifacts listed in the manifest are sent, even if the server requests other files.
      if (artifact === undefined) throw rejectionOf(response, publication);
      const bytes = await publication.readArtifact(artifact.file);
      await showUpload(artifact, (onSent) => uploadBlob(request, sha256, bytes, { onSent }));
    }
  }
}

function outcomeOf(response: Extract<ApiAnswer, { json: unknown }>, { channel }: Publication): Published {
  const parsed = v.safeParse(releaseAnswer, response.json);
  if (!parsed.success) throw new OtaError('SERVER_NOT_OURS', { url: response.url, status: response.status });
  const { outcome, release, warnings } = parsed.output;
  const { channels } = release;
  return { outcome, current: channel === undefined ? channels.length > 0 : channels.includes(channel), warnings };
}
