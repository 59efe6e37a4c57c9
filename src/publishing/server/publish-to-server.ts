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

/** Limit of publish requests per release. The missing blobs are sent once, or twice if the server has deleted some in between. */
const mostRounds = 3;

/** Returns a publisher for an update server. */
export function serverPublisher(options: ServerPublisherOptions): Publisher {
  const ask = connect(options);
  return { publish: (publication) => publishToServer(publication, ask, options.showUpload ?? withoutProgress) };
}

/**
 * Asks the server to publish, sends the blobs that it reports as missing, and asks again. Blobs on the server are not sent again, and
 * repeating a publication changes nothing.
 *
 * @throws OtaError VERSION_TAKEN, PREFLIGHT_REFUSED, SERVER_REFUSED, ARTIFACT_CHANGED, and those of the connection
 */
async function publishToServer(publication: Publication, ask: Ask, showUpload: ShowUpload): Promise<Published> {
  const { project, version, channel, purpose, manifestText, allow } = publication;
  // Only drafts send `draft`, so that servers that do not know it accept all other requests.
  const target = channel === undefined ? { draft: true } : { channel };
  const json: ReleaseRequest = { version, ...target, purpose, manifest: manifestText, allow: [...allow] };
  for (let round = 1; ; round++) {
    const answer = await ask({ method: 'POST', path: `/projects/${project}/releases`, json, isRepeatable: true });
    if (answer.problem === undefined) return outcomeOf(answer, publication);
    const { code, missing } = answer.problem;
    if (code !== 'blobs-missing' || missing === undefined || round === mostRounds)
      throw rejectionOf(answer, publication);
    for (const { sha256 } of missing) {
      const artifact = publication.manifest.artifacts.find((each) => each.sha256 === sha256);
      // Only artifacts that the manifest lists are sent, whatever the server asks for.
      if (artifact === undefined) throw rejectionOf(answer, publication);
      const bytes = await publication.readArtifact(artifact.file);
      await showUpload(artifact, (onSent) => uploadBlob(ask, sha256, bytes, { onSent }));
    }
  }
}

function outcomeOf(answer: Extract<ApiAnswer, { json: unknown }>, { channel }: Publication): Published {
  const parsed = v.safeParse(releaseAnswer, answer.json);
  if (!parsed.success) throw new OtaError('SERVER_NOT_OURS', { url: answer.url, status: answer.status });
  const { outcome, release, warnings } = parsed.output;
  const { channels } = release;
  return { outcome, current: channel === undefined ? channels.length > 0 : channels.includes(channel), warnings };
}
