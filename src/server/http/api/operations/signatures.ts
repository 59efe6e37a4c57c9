import * as v from 'valibot';
import {
  signatureReceiptSchema,
  signatureReceiptsSchema,
  signaturesRequestSchema,
} from '../../../../api/signatures.ts';
import { signingLogId } from '../../../../core/model/signing-log.ts';
import { integerText, listLimit } from './integer-text.ts';
import { operation } from './operation.ts';

export const signatureOperations = {
  record: operation({
    id: 'recordSignatures',
    group: 'releases',
    method: 'post',
    path: '/projects/{project}/signatures',
    summary: 'Records entries of a signing log in the audit log.',
    description:
      'Entries that contradict an earlier receipt of the same log are rejected: the log was rewritten. Recording the same entries twice returns the same receipt.',
    action: 'signatures',
    body: signaturesRequestSchema,
    statuses: [200],
    response: signatureReceiptSchema,
    problems: ['conflict'],
  }),
  receipts: operation({
    id: 'listSignatureReceipts',
    group: 'releases',
    method: 'get',
    path: '/projects/{project}/signatures',
    summary: 'Lists the receipts for recorded signatures, oldest first.',
    description: 'The signing log must contain the entry of each of its receipts, with the same hash.',
    action: 'signatures',
    query: v.strictObject({
      log: v.optional(v.pipe(signingLogId, v.description('Name of a signing log. If absent, all logs are listed.'))),
      after: v.optional(
        v.pipe(
          integerText(0, Number.MAX_SAFE_INTEGER),
          v.description(
            'Value of `next` in the previous response. If absent, the list starts with the oldest receipt.',
          ),
        ),
      ),
      limit: listLimit(1000, 100),
    }),
    statuses: [200],
    response: signatureReceiptsSchema,
  }),
} as const;
