import * as v from 'valibot';
import { approvalInfoSchema, approvalResultSchema, promotionApprovalSchema } from '../../../../api/approvals.ts';
import { rolloutRequestSchema } from '../../../../api/rollout.ts';
import { operation } from './operation.ts';

export const approvalOperations = {
  list: operation({
    id: 'listApprovals',
    group: 'approvals',
    method: 'get',
    path: '/projects/{project}/approvals',
    summary: 'Lists the changes that wait for the approval of a second person, oldest first.',
    action: 'view',
    statuses: [200],
    response: v.strictObject({ approvals: v.array(approvalInfoSchema) }),
  }),
  requestRollout: operation({
    id: 'requestRolloutApproval',
    group: 'approvals',
    method: 'post',
    path: '/projects/{project}/approvals/rollouts',
    summary: 'Requests the approval of the start of a rollout.',
    action: 'rollouts',
    body: rolloutRequestSchema,
    statuses: [201],
    response: approvalInfoSchema,
    problems: ['blocked', 'conflict'],
  }),
  requestPromotion: operation({
    id: 'requestPromotionApproval',
    group: 'approvals',
    method: 'post',
    path: '/projects/{project}/approvals/promotions',
    summary: 'Requests the approval of a promotion.',
    action: 'promote',
    body: promotionApprovalSchema,
    statuses: [201],
    response: approvalInfoSchema,
    problems: ['channel-not-permitted', 'image-known', 'blocked', 'conflict'],
  }),
  approve: operation({
    id: 'approveChange',
    group: 'approvals',
    method: 'post',
    path: '/projects/{project}/approvals/{approvalId}/approve',
    summary: 'Approves a change, which is made at once.',
    description: 'The token or person that requested the change may not approve it.',
    action: 'rollouts',
    statuses: [200],
    response: approvalResultSchema,
    problems: ['channel-not-permitted', 'image-known', 'blocked', 'conflict'],
  }),
  decline: operation({
    id: 'declineChange',
    group: 'approvals',
    method: 'post',
    path: '/projects/{project}/approvals/{approvalId}/decline',
    summary: 'Declines a change that waits for approval.',
    action: 'rollouts',
    statuses: [200],
    response: approvalResultSchema,
  }),
} as const;
