import * as v from 'valibot';
import { channelInfoSchema } from '../../../../api/admin-info.ts';
import {
  channelRequestSchema,
  firmwareVersion,
  notesRequestSchema,
  releaseRequestSchema,
  yankRequestSchema,
} from '../../../../api/release.ts';
import { imageStatuses, releaseInfoSchema, releaseResponseSchema } from '../../../../api/release-info.ts';
import { listLimit, listPosition } from './integer-text.ts';
import { operation } from './operation.ts';

const selected = v.strictObject({ release: releaseInfoSchema });

export const releaseOperations = {
  publish: operation({
    id: 'publishRelease',
    group: 'releases',
    method: 'post',
    path: '/projects/{project}/releases',
    summary: 'Publishes a release.',
    description:
      'If the response is `blobs-missing`, upload each listed blob and send the request again. Publishing the same release twice returns `unchanged`. With an admin token, the first release creates the project.',
    action: 'draft',
    body: releaseRequestSchema,
    statuses: [200, 201],
    response: releaseResponseSchema,
    problems: [
      ...(['channel-not-permitted', 'blobs-missing', 'version-taken', 'image-known', 'conflict'] as const),
      ...(['private-key', 'not-as-described', 'wrong-key', 'blocked', 'verification-limit'] as const),
    ],
  }),
  list: operation({
    id: 'listReleases',
    group: 'releases',
    method: 'get',
    path: '/projects/{project}/releases',
    summary: 'Lists the releases of a project, newest first.',
    description:
      'Each release contains the images of one version, for all boards and kinds. A page contains about 1,000 images at most.',
    action: 'view',
    query: v.strictObject({
      before: listPosition,
      limit: listLimit(1000, 100),
      version: v.optional(firmwareVersion),
      status: v.optional(
        v.pipe(
          v.picklist(imageStatuses, `must be ${imageStatuses.join(', ')}`),
          v.description('Status of at least one image of the release.'),
        ),
      ),
    }),
    statuses: [200],
    response: v.strictObject({ releases: v.array(releaseInfoSchema), next: v.optional(v.number()) }),
  }),
  yank: operation({
    id: 'yankRelease',
    group: 'releases',
    method: 'post',
    path: '/projects/{project}/releases/yank',
    summary: 'Yanks a release: no device receives it any longer.',
    description: 'Yanks all images of the version, or those of the listed parts, in one step.',
    action: 'yank',
    body: yankRequestSchema,
    statuses: [200],
    response: selected,
    problems: ['conflict'],
  }),
  notes: operation({
    id: 'setReleaseNotes',
    group: 'releases',
    method: 'put',
    path: '/projects/{project}/releases/notes',
    summary: 'Sets the notes of a release.',
    description: 'The notes are Markdown and apply to all images of the version. The dashboard shows no HTML in them.',
    action: 'notes',
    body: notesRequestSchema,
    statuses: [200],
    response: v.strictObject({ version: v.string(), notes: v.string() }),
    problems: ['conflict'],
  }),
  channel: operation({
    id: 'getChannel',
    group: 'releases',
    method: 'get',
    path: '/projects/{project}/channels/{channel}',
    summary: 'Returns the number of devices on a channel, and whether the token may promote releases to it.',
    action: 'view',
    statuses: [200],
    response: channelInfoSchema,
  }),
  promote: operation({
    id: 'promoteRelease',
    group: 'releases',
    method: 'put',
    path: '/projects/{project}/channels/{channel}',
    summary: 'Promotes a release to a channel.',
    description: 'Promotes all images of the version, or those of the listed parts, in one step.',
    action: 'promote',
    body: channelRequestSchema,
    statuses: [200],
    response: selected,
    problems: ['channel-not-permitted', 'image-known', 'blocked', 'conflict'],
  }),
} as const;
