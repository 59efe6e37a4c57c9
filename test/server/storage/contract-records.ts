import type { ExecutionContext } from 'ava';
import type { Manifest } from '../../../src/core/model/manifest.ts';
import type { ProjectRecord } from '../../../src/server/storage/records.ts';
import type { NewRelease, NewRollout } from '../../../src/server/storage/store.ts';
import { auditBy } from '../audit-by.ts';
import type { TestStore } from './test-store.ts';

export type StoreTest = (title: string, run: (t: ExecutionContext, opened: TestStore) => Promise<void>) => void;

export function project(): ProjectRecord {
  const settings = { access: 'open', keys: [], aliases: [], confirmWithinMs: 1000, mostSends: 3 } as const;
  return { name: 'door', createdAt: 1, ...settings };
}

export function publication(
  manifest: Manifest,
  version: string,
  options: { purpose?: 'serve' | 'reference'; channel?: string | undefined; isTrusted?: boolean } = {},
): NewRelease {
  const { purpose = 'serve', isTrusted = true } = options;
  const channel = 'channel' in options ? options.channel : 'stable';
  const { kind } = manifest.image;
  const release = { project: 'door', version, kind, board: '', purpose, publishedAt: 1, manifest };
  const audit: NewRelease['audit'] = (outcome) => [
    auditBy('tester', 'project.created'),
    auditBy('tester', `release.${outcome}`),
  ];
  return { release, channel, isTrusted, project: project(), audit };
}

export function rollout(freshId: number, formerId: number): NewRollout {
  return {
    project: 'door',
    channel: 'stable',
    version: '2.0',
    releaseIds: [freshId],
    previousIds: [formerId],
    stages: [{ share: 100, canaries: ['18:FE:34:00:00:01'], groups: ['hall'] }],
    gate: { runningPercent: 90, soakMs: 1000 },
    halt: { failures: 5, failurePercent: 10, minimumSample: 10, notConfirmed: 2 },
    state: 'active',
    openStages: 1,
    accepted: { failed: 0, notConfirmed: 0, unprovenFailed: 0, unprovenNotConfirmed: 0 },
    unprovenResumes: 0,
    startedAt: 1,
    startedMs: 1,
    startedBy: 'tester',
    history: [{ at: 1, event: 'started', by: 'tester' }],
    samples: [],
  };
}
