import type * as v from 'valibot';
import type { SigningLogEntry } from '../../core/model/signing-log.ts';
import { OtaError } from '../../errors/ota-error.ts';
import {
  mostSignatures,
  type SignatureReceipt,
  signatureReceiptSchema,
  signatureReceiptsSchema,
} from '../signatures.ts';
import type { ApiRequest, ApiResponse, SendApiRequest } from './connection.ts';
import { asError } from './problems.ts';
import { checkedResponse } from './responses.ts';

/** Record of signatures on a server. */
export interface SignatureRecord {
  /**
   * Returns the receipts for a project, oldest first.
   *
   * @param log name of a signing log; undefined for all logs
   * @returns undefined if the server has no such project, or is too old to record signatures
   */
  receipts(project: string, log?: string): Promise<readonly SignatureReceipt[] | undefined>;
  /**
   * Sends entries of one signing log, in their order.
   *
   * @returns the receipt for the last entry; undefined as above, or if there are no entries
   */
  send(project: string, entries: readonly SigningLogEntry[]): Promise<SignatureReceipt | undefined>;
}

const receiptsAtOnce = 1000;

/**
 * Returns the record of signatures on a server.
 *
 * @returns functions that throw OtaError SERVER_REJECTED, SERVER_NOT_OURS and connection errors
 */
export function signatureRecord(request: SendApiRequest): SignatureRecord {
  return {
    async receipts(project, log) {
      const all: SignatureReceipt[] = [];
      for (let after: number | undefined = 0; after !== undefined; ) {
        const query: URLSearchParams = new URLSearchParams({
          after: String(after),
          limit: String(receiptsAtOnce),
          ...(log && { log }),
        });
        const path = `/projects/${encodeURIComponent(project)}/signatures?${query}`;
        const page = await read(request, { method: 'GET', path }, signatureReceiptsSchema);
        if (page === undefined) return undefined;
        all.push(...page.receipts);
        after = page.next;
      }
      return all;
    },

    async send(project, entries) {
      const path = `/projects/${encodeURIComponent(project)}/signatures`;
      let receipt: SignatureReceipt | undefined;
      for (let start = 0; start < entries.length; start += mostSignatures) {
        const json = { entries: entries.slice(start, start + mostSignatures) };
        const sent = await read(request, { method: 'POST', path, json, isRepeatable: true }, signatureReceiptSchema);
        if (sent === undefined) return undefined;
        receipt = sent;
      }
      return receipt;
    },
  };
}

async function read<Schema extends v.GenericSchema>(send: SendApiRequest, request: ApiRequest, schema: Schema) {
  const response: ApiResponse = await send(request);
  if (response.problem !== undefined) {
    if (response.problem.code === 'not-found') return undefined;
    throw asError(response);
  }
  const checked = checkedResponse(schema, response.json);
  if (checked === undefined) throw new OtaError('SERVER_NOT_OURS', { url: response.url, status: response.status });
  return checked;
}
