import * as v from 'valibot';
import { type DeepReadonly, sha256 } from '../../core/model/fields.ts';
import { auditInfoSchema, deviceInfoSchema, projectInfoSchema, tokenInfoSchema } from '../admin-info.ts';
import { approvalInfoSchema } from '../approvals.ts';
import { releaseInfoSchema } from '../release-info.ts';
import { rolloutInfoSchema } from '../rollout-info.ts';
import { deliveryInfoSchema, webhookInfoSchema } from '../webhooks.ts';

/** Fields of server responses that the client reads. All other fields are ignored. */
const releaseFinding = v.object({ rule: v.string(), message: v.string(), fix: v.string() });
const offset = v.pipe(v.number(), v.integer(), v.minValue(0));

export const releaseResponse = v.object({
  outcome: v.picklist(['published', 'promoted', 'unchanged']),
  release: v.object({ channels: v.array(v.string()) }),
  warnings: v.array(releaseFinding),
});

export const channelResponse = v.object({ devices: offset, mayPromote: v.boolean() });

export const uploadState = v.object({ offset, complete: v.boolean() });

export const apiProblem = v.object({
  error: v.object({
    code: v.string(),
    message: v.string(),
    hint: v.string(),
    missing: v.optional(v.array(v.object({ file: v.string(), sha256, sizeBytes: offset }))),
    offset: v.optional(offset),
    blockedBy: v.optional(v.array(releaseFinding)),
    problems: v.optional(v.array(v.string())),
  }),
});
export type Problem = v.InferOutput<typeof apiProblem>['error'];

/** Responses to the `server` commands, apart from single records. */
export const serverResponse = v.looseObject({ name: v.literal('ota-hooks') });
export const projectsResponse = v.looseObject({ projects: v.array(projectInfoSchema) });
export const tokensResponse = v.looseObject({ tokens: v.array(tokenInfoSchema) });
export const tokenRevokedResponse = v.looseObject({ revoked: v.string() });
export const auditResponse = v.looseObject({ entries: v.array(auditInfoSchema) });
export const selectedReleaseResponse = v.looseObject({ release: releaseInfoSchema });
export const releasesResponse = v.looseObject({ releases: v.array(releaseInfoSchema), next: v.optional(v.number()) });
export const devicesResponse = v.looseObject({ devices: v.array(deviceInfoSchema), next: v.optional(v.string()) });
export const webhooksResponse = v.looseObject({ webhooks: v.array(webhookInfoSchema) });
export const webhookRemovedResponse = v.looseObject({ removed: v.number() });
export const deliveriesResponse = v.looseObject({
  deliveries: v.array(deliveryInfoSchema),
  next: v.optional(v.number()),
});
export const deviceRemovedResponse = v.looseObject({ removed: v.string() });
export const approvalsResponse = v.looseObject({ approvals: v.array(approvalInfoSchema) });
export const rolloutsResponse = v.looseObject({ rollouts: v.array(rolloutInfoSchema) });

/**
 * Checks the JSON of a response. Unknown fields are accepted, because a newer server may send additional fields.
 *
 * @returns undefined if the response does not match the schema
 */
export function checkedResponse<Schema extends v.GenericSchema>(
  schema: Schema,
  json: unknown,
): DeepReadonly<v.InferOutput<Schema>> | undefined {
  const { issues = [] } = v.safeParse(schema, json);
  const isSound = issues.every(({ type, expected }) => type === 'strict_object' && expected === 'never');
  // The JSON itself is returned: after an issue about an unknown field, valibot has no output.
  return isSound ? (json as DeepReadonly<v.InferOutput<Schema>>) : undefined;
}
