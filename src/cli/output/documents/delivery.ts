import * as v from 'valibot';
import { releaseFindingSchema } from '../../../api/release-info.ts';
import { signatureReceiptSchema } from '../../../api/signatures.ts';
import { deviceFactsSchema } from '../../../core/model/device-facts.ts';
import { md5, sha256, sizeBytes } from '../../../core/model/fields.ts';
import { preflightFixSchema } from '../../../core/model/preflight-fix.ts';
import { errorSchema } from './failure.ts';

/** JSON output of the commands that deliver updates or find devices. */

const encoding = v.picklist(['identity', 'gzip']);
const kind = v.picklist(['sketch', 'filesystem']);
const method = v.picklist(['espota', 'web']);
const ruleOfArtifact = v.strictObject({
  ...releaseFindingSchema.entries,
  /** Fixes as data. Any one of them removes the finding. Empty if the fix is only advice. */
  fixes: v.array(preflightFixSchema),
  artifact: v.string(),
});

export const preflightDocument = v.strictObject({
  error: v.optional(errorSchema),
  file: v.string(),
  safe: v.boolean(),
  device: deviceFactsSchema,
  plan: v.strictObject({
    kind: v.picklist(['send', 'hops', 'blocked']),
    steps: v.array(
      v.strictObject({
        artifact: v.string(),
        version: v.nullable(v.string()),
        encoding,
        signature: v.picklist(['none', 'current', 'legacy', 'unverified']),
        sizeBytes,
      }),
    ),
  }),
  /** Errors for the best candidate: the artifact whose form the device can use and that the fewest rules block. */
  blockedBy: v.array(ruleOfArtifact),
  /** Errors for every artifact, the best candidate first. */
  blockedArtifacts: v.array(v.strictObject({ artifact: v.string(), blockedBy: v.array(ruleOfArtifact) })),
  warnings: v.array(ruleOfArtifact),
  /** Different artifact of the same build that is safe for the device. */
  alternative: v.nullable(v.string()),
  /** Intermediate releases that do not help, and the reasons. */
  unusableVia: v.array(v.strictObject({ file: v.string(), reason: v.string() })),
  /** Size limit of an intermediate sketch that would make the update possible, and the artifact to send after it. */
  intermediate: v.nullable(v.strictObject({ mostBytes: sizeBytes, lastArtifact: v.string() })),
});

/** Result of one delivery to one device. */
const verdictSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('accepted') }),
  v.strictObject({
    kind: v.literal('rejected'),
    by: v.picklist(['updater', 'password']),
    reason: v.string(),
    code: v.optional(v.number()),
  }),
  v.strictObject({ kind: v.literal('unreachable'), reason: v.string() }),
  v.strictObject({
    kind: v.literal('blockedCallback'),
    hostAddress: v.string(),
    port: v.number(),
    rejectedAddresses: v.array(v.string()),
  }),
  v.strictObject({
    kind: v.literal('wrongProtocol'),
    which: v.picklist(['esphome', 'esp32', 'noWebUpdater', 'noFilesystemForm', 'unrecognized']),
    received: v.optional(v.string()),
  }),
  v.strictObject({ kind: v.literal('unknown'), reason: v.string(), mayHaveUpdated: v.boolean() }),
]);

const confirmation = v.variant('kind', [
  v.strictObject({ kind: v.literal('proven'), sketchMd5: md5 }),
  v.strictObject({ kind: v.literal('returned'), by: v.picklist(['mdns', 'udp', 'http']) }),
  v.strictObject({ kind: v.literal('differentSketch'), sketchMd5: md5 }),
  v.strictObject({ kind: v.literal('noResponse') }),
]);

const target = { name: v.string(), host: v.string(), port: v.number(), method };

const deviceEnd = v.variant('outcome', [
  v.strictObject({
    ...target,
    outcome: v.picklist(['updated', 'failed']),
    artifact: v.string(),
    sizeBytes,
    verdict: verdictSchema,
    message: v.string(),
    hint: v.nullable(v.string()),
    confirmation: v.nullable(confirmation),
    warnings: v.array(releaseFindingSchema),
    durationMs: v.number(),
  }),
  v.strictObject({ ...target, outcome: v.literal('blocked'), blockedBy: v.array(ruleOfArtifact) }),
  v.strictObject({ ...target, outcome: v.picklist(['notStarted', 'alreadyUpdated']) }),
]);

export const uploadDocument = v.strictObject({
  error: v.optional(errorSchema),
  release: v.strictObject({
    path: v.string(),
    kind,
    imageSha256: sha256,
    project: v.nullable(v.string()),
    version: v.nullable(v.string()),
    board: v.nullable(v.string()),
  }),
  devices: v.array(deviceEnd),
  totals: v.strictObject({
    updated: v.number(),
    failed: v.number(),
    blocked: v.number(),
    notStarted: v.number(),
    alreadyUpdated: v.number(),
  }),
});

export const espotaDocument = v.strictObject({
  error: v.optional(errorSchema),
  host: v.string(),
  port: v.number(),
  file: v.string(),
  sizeBytes,
  verdict: verdictSchema,
  message: v.string(),
  hint: v.nullable(v.string()),
});

export const publishDocument = v.strictObject({
  to: v.string(),
  published: v.array(
    v.strictObject({
      outcome: v.picklist(['published', 'promoted', 'unchanged']),
      project: v.string(),
      version: v.string(),
      kind,
      board: v.nullable(v.string()),
      purpose: v.picklist(['serve', 'reference']),
      channel: v.nullable(v.string()),
      current: v.boolean(),
      /** Command that promotes the draft. It is present only if the token may not promote the release to the channel. */
      next: v.nullable(v.string()),
      manifest: v.string(),
      artifacts: v.array(
        v.strictObject({
          file: v.string(),
          sizeBytes,
          sha256,
          /** Devices for which the artifact is published. */
          use: v.string(),
        }),
      ),
      warnings: v.array(releaseFindingSchema),
    }),
  ),
  /** Receipt of the server for the signing log. Null if there is nothing to record, or if the destination records no signatures. */
  receipt: v.nullable(signatureReceiptSchema),
});

const foundDevice = v.strictObject({
  method,
  name: v.string(),
  host: v.string(),
  address: v.string(),
  port: v.number(),
  board: v.nullable(v.string()),
  auth: v.nullable(v.boolean()),
  sketchMd5: v.nullable(md5),
  /** Name of the device in the configuration; null for other devices. */
  inventory: v.nullable(v.string()),
});

/** JSON output of `discover`. With --watch, each line contains one device. With --add, the output contains the added device. */
export const discoverDocument = v.union([
  v.strictObject({
    devices: v.array(foundDevice),
    previouslyFound: v.array(
      v.strictObject({ ...foundDevice.entries, lastSeen: v.pipe(v.string(), v.isoTimestamp()) }),
    ),
  }),
  foundDevice,
  v.strictObject({ added: v.string(), config: v.string(), device: v.looseObject({ address: v.string() }) }),
]);

const mac = v.string();

/** JSON output of `simulate`: one line for each event. */
export const simulateDocument = v.variant('event', [
  v.strictObject({ mac, event: v.literal('ready'), otaPort: v.number(), webPort: v.optional(v.number()) }),
  v.strictObject({
    mac,
    event: v.literal('update'),
    transport: v.picklist(['espota', 'web', 'http']),
    verdict: v.picklist(['accepted', 'rejected']),
    error: v.nullable(v.string()),
  }),
  v.strictObject({ mac, event: v.literal('boot'), sketchMd5: md5 }),
  v.strictObject({ mac, event: v.literal('bricked'), reason: v.string() }),
  v.strictObject({ mac, event: v.literal('checked'), status: v.number() }),
]);

/** JSON output of `ui`: one line for each event. */
export const uiDocument = v.variant('event', [
  v.strictObject({
    event: v.literal('ready'),
    /** Address of the page. It contains a token that is valid until the command ends. */
    url: v.string(),
  }),
  v.strictObject({
    event: v.literal('ended'),
    device: v.string(),
    outcome: v.picklist(['updated', 'failed', 'not started']),
    message: v.string(),
    hint: v.nullable(v.string()),
  }),
  v.strictObject({ event: v.literal('stopped') }),
]);
