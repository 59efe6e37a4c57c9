import * as v from 'valibot';
import { type DeepReadonly, printable, sha256 } from '../core/model/fields.ts';
import { signingLogEntrySchema, signingLogId, signingLogNumber } from '../core/model/signing-log.ts';

/** Maximum number of entries in a request. */
export const mostSignatures = 100;

const text = v.pipe(v.string(), v.maxLength(1024, 'must have at most 1024 characters'), printable);

/** Entries of one signing log in their order, between which entries of other projects may be missing. */
export const signaturesRequestSchema = v.strictObject({
  entries: v.pipe(
    v.array(
      v.strictObject({
        ...signingLogEntrySchema.entries,
        file: text,
        project: v.optional(text),
        version: v.optional(text),
        by: text,
      }),
    ),
    v.minLength(1, 'must not be empty'),
    v.maxLength(mostSignatures, `must have at most ${mostSignatures} entries`),
  ),
});

/** Proof of what a server has recorded: the signing log contained this entry with this hash. */
export const signatureReceiptSchema = v.strictObject({
  /** Name of the signing log. */
  log: signingLogId,
  /** Number of the last recorded entry. */
  entry: signingLogNumber,
  /** Hash of this entry, which covers all entries before it. */
  hash: sha256,
  /** User and machine, or the run of the build server, that made the signature. */
  by: v.string(),
  /** Time at which the server has recorded the entry. */
  at: v.pipe(v.string(), v.isoTimestamp()),
  /** ID in the audit log of the server. */
  audit: v.number(),
});
export type SignatureReceipt = DeepReadonly<v.InferOutput<typeof signatureReceiptSchema>>;

export const signatureReceiptsSchema = v.strictObject({
  receipts: v.array(signatureReceiptSchema),
  /** `after` of the next request; absent if there are no more receipts. */
  next: v.optional(v.number()),
});
