import * as v from 'valibot';
import {
  auditInfoSchema,
  credentialStates,
  deviceInfoSchema,
  devicePreviewSchema,
  projectInfoSchema,
  tokenInfoSchema,
} from '../../../api/admin-info.ts';
import { approvalInfoSchema, approvalResultSchema } from '../../../api/approvals.ts';
import { revocationResponseSchema } from '../../../api/device-credentials.ts';
import { importedDeviceInfoSchema } from '../../../api/device-sets.ts';
import { roles } from '../../../api/release.ts';
import { releaseInfoSchema } from '../../../api/release-info.ts';
import { rolloutDevicesSchema, rolloutInfoSchema } from '../../../api/rollout-info.ts';
import { deliveryInfoSchema, webhookInfoSchema } from '../../../api/webhooks.ts';
import { sizeBytes } from '../../../core/model/fields.ts';
import { dataProblemKinds } from '../../../server/storage/check/findings.ts';
import { errorSchema } from './failure.ts';

/** JSON output of `serve`: one line for each event. */
export const serveDocument = v.variant('event', [
  v.strictObject({
    event: v.literal('ready'),
    url: v.string(),
    /** URL for devices. It differs from `url` only if --device-listen is used. */
    deviceUrl: v.optional(v.string()),
    /** Files of the server's own certificate authority: the CA certificate, and the header for sketches. */
    ca: v.optional(v.string()),
    header: v.optional(v.string()),
    /** File with the first admin token, on the first start. */
    tokenFile: v.optional(v.string()),
  }),
  v.strictObject({ event: v.literal('stopped') }),
]);

/** JSON output of `login` and `whoami`. */
export const loginDocument = v.strictObject({
  /** Origin of the server. */
  server: v.string(),
  /** ID and name of the token. */
  id: v.string(),
  name: v.string(),
  roles: v.array(v.picklist(roles)),
  channels: v.array(v.string()),
  /** Project that the token is limited to. */
  project: v.optional(v.string()),
});

export const logoutDocument = v.strictObject({ server: v.string(), removed: v.boolean() });

/** Number of devices that a command was about, and that it changed. */
const changedDevices = v.strictObject({ matched: v.number(), changed: v.number() });

/** JSON output of the `server` commands, by command name. */
export const serverDocuments = {
  'server tokens create': tokenInfoSchema,
  'server tokens list': v.array(tokenInfoSchema),
  'server tokens revoke': v.strictObject({ revoked: v.string() }),
  'server projects list': v.array(projectInfoSchema),
  'server projects show': projectInfoSchema,
  'server projects set': projectInfoSchema,
  'server releases list': v.array(releaseInfoSchema),
  /** With --request-approval, the request. */
  'server releases promote': v.union([releaseInfoSchema, approvalInfoSchema]),
  'server releases yank': releaseInfoSchema,
  'server devices list': v.array(deviceInfoSchema),
  'server devices show': deviceInfoSchema,
  'server devices set': deviceInfoSchema,
  'server devices retry': changedDevices,
  'server devices remove': v.strictObject({ removed: v.string() }),
  'server devices import': v.strictObject({
    dryRun: v.boolean(),
    /** Changes of the import; with `--dry-run`, the changes that it would make. */
    devices: v.array(v.strictObject({ ...importedDeviceInfoSchema.entries, project: v.string() })),
    sharedAliases: v.array(v.string()),
    /** With --preview: the next update of each device. */
    previews: v.optional(
      v.array(v.strictObject({ ...devicePreviewSchema.entries, project: v.string(), file: v.string() })),
    ),
  }),
  'server devices enroll': changedDevices,
  'server devices credentials': v.strictObject({
    /** New secrets; `secret` is absent if they were written to a file. */
    created: v.array(v.strictObject({ mac: v.string(), user: v.string(), secret: v.optional(v.string()) })),
    /** Devices that keep their credentials, and the state of those credentials. */
    skipped: v.array(v.strictObject({ mac: v.string(), credentials: v.picklist(credentialStates) })),
    file: v.optional(v.string()),
  }),
  'server devices revoke-credentials': revocationResponseSchema,
  /** With --request-approval, the request. */
  'server rollouts start': v.union([rolloutInfoSchema, approvalInfoSchema]),
  'server rollouts list': v.array(rolloutInfoSchema),
  'server rollouts show': v.strictObject({
    ...rolloutInfoSchema.entries,
    /** With --waiting, --status or --stage: the devices. `next` is present if there are more than --limit. */
    devices: v.optional(rolloutDevicesSchema),
  }),
  /** One line for each change. */
  'server rollouts watch': rolloutInfoSchema,
  'server rollouts pause': rolloutInfoSchema,
  'server rollouts resume': rolloutInfoSchema,
  'server rollouts advance': rolloutInfoSchema,
  'server rollouts abort': rolloutInfoSchema,
  'server rollouts rollback': rolloutInfoSchema,
  'server approvals list': v.array(approvalInfoSchema),
  'server approvals approve': approvalResultSchema,
  'server approvals decline': approvalResultSchema,
  'server webhooks add': webhookInfoSchema,
  'server webhooks list': v.array(webhookInfoSchema),
  'server webhooks remove': v.strictObject({ removed: v.number() }),
  'server webhooks deliveries': v.array(deliveryInfoSchema),
  'server webhooks redeliver': deliveryInfoSchema,
  'server audit': v.array(auditInfoSchema),
  'server backup': v.strictObject({ file: v.string(), sizeBytes }),
  'server check': v.strictObject({
    error: v.optional(errorSchema),
    data: v.string(),
    problems: v.array(
      v.strictObject({ kind: v.picklist(dataProblemKinds), message: v.string(), path: v.optional(v.string()) }),
    ),
    /** Number of readable records, by table. */
    records: v.record(v.string(), v.number()),
    /** Complete and unfinished uploads; unused blobs belong to no release. */
    blobs: v.strictObject({ complete: v.number(), sizeBytes, unused: v.number(), unfinished: v.number() }),
    /** With --repair: each change and, for a data folder, the folder with a copy of the database and the damaged files. */
    repair: v.optional(v.strictObject({ backup: v.optional(v.string()), changes: v.array(v.string()) })),
  }),
  'server copy': v.strictObject({
    from: v.string(),
    /** Number of records, by table. */
    records: v.record(v.string(), v.number()),
    blobs: v.strictObject({ files: v.number(), sizeBytes }),
    /** True if the records had already been copied; the copy was only compared with its source. */
    wasCopied: v.boolean(),
  }),
  'server restore': v.strictObject({ data: v.string(), from: v.string() }),
} as const;
