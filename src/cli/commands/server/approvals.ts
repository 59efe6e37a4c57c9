import { type ApprovalInfo, approvalResultSchema } from '../../../api/approvals.ts';
import { approvalsResponse } from '../../../api/client/responses.ts';
import { commandGroup, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { table } from '../../output/table.ts';
import { agoOf } from '../../output/time-text.ts';
import { type ServerCommandOptions, segment, serverClient, serverCommand } from './connection.ts';

export function declareApprovals(declaration: Declaration): void {
  commandGroup(
    declaration,
    'approvals',
    'Approve or decline rollouts and promotions that another person has requested',
    ['ota-hooks server approvals list door', 'ota-hooks server approvals approve door 4f6a0c12b7de'],
    [declareList, declareApprove, declareDecline],
  );
}

function declareList(declaration: Declaration): void {
  serverCommand(declaration, 'list <project>', 'List the changes that wait for approval, oldest first', [
    'ota-hooks server approvals list door --server https://ota.example.com',
    'ota-hooks server approvals list door --json',
  ]).action((project, options) => list(project, options, declaration.io));
}

function declareApprove(declaration: Declaration): void {
  serverCommand(declaration, 'approve <project> <id>', 'Approve a change, which is made at once', [
    'ota-hooks server approvals approve door 4f6a0c12b7de --server https://ota.example.com',
    'ota-hooks server approvals approve door 4f6a0c12b7de --json',
  ]).action((project, id, options) => decide({ project, id, action: 'approve' }, options, declaration.io));
}

function declareDecline(declaration: Declaration): void {
  serverCommand(declaration, 'decline <project> <id>', 'Decline a change, or cancel your own request', [
    'ota-hooks server approvals decline door 4f6a0c12b7de --server https://ota.example.com',
    'ota-hooks server approvals decline door 4f6a0c12b7de --json',
  ]).action((project, id, options) => decide({ project, id, action: 'decline' }, options, declaration.io));
}

/** Returns what the person who requested a change needs to know. */
export function requestedText(project: string, { id, version, channel }: ApprovalInfo): string {
  return `${version} on ${channel} waits for approval. Another person runs: ota-hooks server approvals approve ${project} ${id}`;
}

async function list(project: string, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const { approvals } = await request('GET', `/projects/${segment(project)}/approvals`, approvalsResponse);
  const rows = approvals.map(({ id, change, version, channel, requestedBy, requestedByName, requestedAt }) => [
    id,
    change,
    version,
    channel,
    requestedByName ?? requestedBy,
    agoOf(requestedAt),
  ]);
  report.result(
    'server approvals list',
    approvals,
    table([['id', 'change', 'version', 'channel', 'requested by', 'requested'], ...rows]),
  );
}

interface Decision {
  readonly project: string;
  readonly id: string;
  readonly action: 'approve' | 'decline';
}

async function decide({ project, id, action }: Decision, options: ServerCommandOptions, io: Io): Promise<void> {
  const { request, report } = serverClient(options, io);
  const path = `/projects/${segment(project)}/approvals/${segment(id)}/${action}`;
  const result = await request('POST', path, approvalResultSchema);
  const started = result.rollout === undefined ? '' : `; rollout ${result.rollout} was started`;
  report.result(`server approvals ${action}`, result, `The change ${id} was ${result.decision}${started}`);
}
