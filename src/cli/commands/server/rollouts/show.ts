import { Option } from '@commander-js/extra-typings';
import { unknownLastSeen } from '../../../../api/admin-info.ts';
import {
  memberStatusWords,
  type RolloutDevices,
  type RolloutInfo,
  reportSelections,
  rolloutDevicesSchema,
  rolloutInfoSchema,
} from '../../../../api/rollout-info.ts';
import { counted, countText } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { Declaration, OptionsOf } from '../../../command.ts';
import type { Io } from '../../../io.ts';
import { table } from '../../../output/table.ts';
import { labeled, type TextBlock } from '../../../output/text-block.ts';
import { agoOf } from '../../../output/time-text.ts';
import { positiveInteger } from '../../../shared/option-values.ts';
import { type ServerClient, serverClient, serverCommand } from '../connection.ts';
import { rolloutOptions, rolloutPath } from './rollout-path.ts';
import { describeRollout } from './view.ts';

const defaultLimit = 50;
/** Maximum number of devices in a response. */
const mostPerPage = 1000;

const showCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'show <project>', 'Show the progress of a rollout, and list its devices', [
    'ota-hooks server rollouts show door --waiting --server https://ota.example.com',
    'ota-hooks server rollouts show door --id 7 --stage 2 --status failed --json',
  ])
    .addOption(rolloutOptions.id)
    .addOption(rolloutOptions.channel)
    .option('--waiting', 'List the devices in the open stages that are not updated, each with the reason')
    .addOption(
      new Option('--status <status>', 'List the devices with this status')
        .choices(reportSelections)
        .conflicts('waiting'),
    )
    .option('--stage <n>', 'List the devices in this stage', positiveInteger)
    .option('--limit <n>', `Maximum number of listed devices (default: ${defaultLimit})`, positiveInteger);

type ShowOptions = OptionsOf<typeof showCommand>;

export function declareRolloutShow(declaration: Declaration): void {
  showCommand(declaration).action((project, options) => show(project, options, declaration.io));
}

async function show(project: string, options: ShowOptions, io: Io): Promise<void> {
  const client = serverClient(options, io);
  const path = await rolloutPath(client, project, options);
  const rollout = await client.request('GET', path, rolloutInfoSchema);
  const devices = isList(options) ? await listDevices(client, path, rollout, options) : undefined;
  const lines = devices === undefined ? describeRollout(rollout) : [deviceLines(rollout, devices)];
  client.report.result('server rollouts show', { ...rollout, devices }, lines);
}

function isList({ waiting, status, stage, limit }: ShowOptions): boolean {
  return [waiting, status, stage, limit].some((option) => option !== undefined);
}

/** @throws OtaError OPTION_INVALID if the rollout does not have the stage */
async function listDevices(
  { request }: ServerClient,
  path: string,
  { id, stages }: RolloutInfo,
  { waiting, status, stage, limit = defaultLimit }: ShowOptions,
): Promise<RolloutDevices> {
  if (stage !== undefined && stage > stages.length) {
    const expected = `the rollout has ${counted(stages.length, 'stage')}`;
    const hint = `Use a stage from 1 to ${stages.length}.`;
    throw new OtaError('OPTION_INVALID', { option: '--stage', value: String(stage), expected, hint });
  }
  const selected = waiting === true ? 'waiting' : status;
  const devices: RolloutDevices['devices'][number][] = [];
  for (let after: string | undefined; ; ) {
    const perPage = Math.min(mostPerPage, limit - devices.length);
    const query = Object.entries({ stage, status: selected, after, limit: perPage });
    const given = query.flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    const page = await request('GET', `${path}/devices?${new URLSearchParams(given)}`, rolloutDevicesSchema);
    devices.push(...page.devices);
    after = page.next;
    if (after === undefined || devices.length >= limit) return { rollout: id, total: page.total, devices, next: after };
  }
}

/** Lists devices: a line for each device, and below it why it has its status and what to do about it. */
function deviceLines({ version, channel }: RolloutInfo, { rollout, total, devices }: RolloutDevices): TextBlock {
  const all = counted(total, 'device');
  const count = devices.length < total ? `${countText(devices.length)} of ${all}` : all;
  const head = `rollout ${rollout}, ${version} on ${channel}: ${count}`;
  const rows = devices.map(({ mac, name, stage, status, firstSeenAt, lastSeenAt }) => [
    mac,
    name ?? '-',
    String(stage),
    memberStatusWords[status],
    lastSeenAt === undefined ? unknownLastSeen(firstSeenAt) : agoOf(lastSeenAt),
  ]);
  const lines = table([['mac', 'name', 'stage', 'status', 'last seen'], ...rows]);
  return {
    linesIn(columns) {
      if (devices.length === 0) return [head];
      const [titles = '', ...texts] = lines.linesIn(columns);
      const explained = devices.flatMap(({ reason, fix }, index) => [
        texts[index] ?? '',
        ...labeled('', 2, reason).linesIn(columns),
        ...(fix === undefined ? [] : labeled('  fix: ', 7, fix).linesIn(columns)),
      ]);
      return [head, titles, ...explained];
    },
  };
}
