import * as v from 'valibot';
import { uploadStateSchema } from '../../../../api/release.ts';
import { integerText } from './integer-text.ts';
import { operation } from './operation.ts';

const header = (description: string) => v.pipe(integerText(0, 9_999_999_999), v.description(description));

export const uploadOperations = {
  show: operation({
    id: 'getUpload',
    group: 'uploads',
    method: 'get',
    path: '/uploads/{sha256}',
    summary: 'Returns how much of a blob the server has.',
    description: 'The offset is 0 if nothing has arrived yet.',
    action: 'upload',
    anyProject: true,
    statuses: [200],
    response: uploadStateSchema,
  }),
  append: operation({
    id: 'appendUpload',
    group: 'uploads',
    method: 'patch',
    path: '/uploads/{sha256}',
    summary: 'Appends bytes to the upload of a blob.',
    description:
      'If the offset differs from that of the server, the problem `upload-offset` contains the offset to continue at. If all bytes have arrived but do not match the digest, they are discarded (`digest-mismatch`).',
    action: 'upload',
    anyProject: true,
    headers: v.object(
      {
        'upload-offset': header('Number of bytes that were sent before.'),
        'upload-length': header('Size of the whole blob.'),
      },
      'must be set',
    ),
    body: 'bytes',
    statuses: [200],
    response: uploadStateSchema,
    problems: ['upload-offset', 'digest-mismatch', 'private-key'],
  }),
} as const;
