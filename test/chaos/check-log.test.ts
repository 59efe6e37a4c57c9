import test from 'ava';
import { checkLog, type Rule, rules } from './check-log.ts';
import type { ApiWrite, ChaosLog, Commit, DeviceResponse, Download, LoggedAttempt, RolloutState } from './log.ts';

const project = 'door';
const mac = '18:FE:34:00:00:01';
const md5 = 'd41d8cd98f00b204e9800998ecf8427e';

const rollout: RolloutState = {
  ...{ id: 1, version: '2.0', state: 'active', openStages: 1, stages: [['first'], []], previous: ['1.0'] },
};
const download: Download = { version: '2.0', statedMd5: md5, publishedMd5s: [md5], receivedMd5: md5 };

function rolloutAt(at: number, changes: Partial<RolloutState> = {}): Commit {
  return { at, project, kind: 'rollout', ...rollout, ...changes };
}

function attemptAt(at: number, changes: Partial<LoggedAttempt> = {}): Commit {
  const attempt = { version: '2.0', state: 'sent', sends: 1, interruptions: 0, ...changes };
  return { at, project, kind: 'attempts', mac, attempts: [attempt] };
}

function responseAt(endedAt: number, changes: Partial<DeviceResponse> = {}): DeviceResponse {
  const startedAt = endedAt - 10;
  return { project, mac, runs: '1.0', startedAt, endedAt, status: 304, server: 's1', hasRetryAfter: false, ...changes };
}

function writeAt(endedAt: number, changes: Partial<ApiWrite> = {}): ApiWrite {
  const common = { key: 'name', value: 'one', startedAt: endedAt - 10, endedAt, status: 200, hasRetryAfter: false };
  return { ...common, ...changes };
}

const current: Commit = { at: 1000, project, kind: 'current', version: '1.0' };

function logWith(changes: Partial<ChaosLog> & { readonly group?: string }): ChaosLog {
  const { group = 'first', commits = [], ...others } = changes;
  return {
    ...{ mostSends: 3, groupOf: () => group, responses: [], writes: [], ending: new Map(), outages: [], ...others },
    commits: [current, ...commits],
  };
}

function brokenRules(changes: Parameters<typeof logWith>[0]): readonly Rule[] {
  return checkLog(logWith(changes)).map(({ rule }) => rule);
}

/** Each rule with a log that breaks only this rule, and the closest log that does not. */
const cases: Readonly<
  Record<Rule, readonly [broken: Parameters<typeof logWith>[0], intact: Parameters<typeof logWith>[0]]>
> = {
  'send-after-halt': [
    { commits: [rolloutAt(2000), rolloutAt(3000, { state: 'halted' }), attemptAt(3001)] },
    { commits: [rolloutAt(2000), attemptAt(2999), rolloutAt(3000, { state: 'halted' })] },
  ],
  'beyond-limit': [
    { commits: [rolloutAt(2000), ...[1, 2, 3, 4].map((sends) => attemptAt(2000 + sends, { sends }))] },
    {
      commits: [
        rolloutAt(2000),
        ...[1, 2, 3].map((sends) => attemptAt(2000 + sends, { sends })),
        attemptAt(2004, { sends: 4, interruptions: 1 }),
      ],
    },
  ],
  'unrecorded-send': [
    {
      commits: [rolloutAt(2000), attemptAt(2005)],
      responses: [2010, 2012].map((at) => responseAt(at, { status: 200, download })),
    },
    {
      commits: [rolloutAt(2000), attemptAt(2005), attemptAt(2006, { sends: 2 })],
      responses: [2010, 2012].map((at) => responseAt(at, { status: 200, download })),
    },
  ],
  'lost-send': [
    { commits: [rolloutAt(2000), attemptAt(2001), attemptAt(2002, { sends: 2 }), attemptAt(2003)] },
    { commits: [rolloutAt(2000), attemptAt(2001), attemptAt(2002, { sends: 2 }), attemptAt(2003, { sends: 2 })] },
  ],
  'wrong-artifact': [
    {
      commits: [rolloutAt(2000), attemptAt(2005)],
      responses: [responseAt(2010, { status: 200, download: { ...download, receivedMd5: '0'.repeat(32) } })],
    },
    {
      commits: [rolloutAt(2000), attemptAt(2005)],
      responses: [responseAt(2010, { status: 200, download: { ...download, receivedMd5: undefined } })],
    },
  ],
  'wrong-304': [
    { commits: [rolloutAt(2000)], responses: [responseAt(3005)] },
    { commits: [rolloutAt(2000)], responses: [responseAt(2995)] },
  ],
  'unfounded-304': [
    { responses: [responseAt(4500)], outages: [{ component: 'database', from: 3000, to: 5000 }] },
    { responses: [responseAt(3900)], outages: [{ component: 'database', from: 3000, to: 5000 }] },
  ],
  'lost-write': [
    { writes: [writeAt(2000), writeAt(3000, { value: 'two' })], ending: new Map([['name', 'one']]) },
    { writes: [writeAt(2000), writeAt(3000, { value: 'two', status: 503, hasRetryAfter: true })], ...oneAtEnd() },
  ],
  'wrong-outage-response': [
    {
      responses: [responseAt(4500, { status: 503 })],
      outages: [{ component: 'database', from: 3000, to: 5000 }],
    },
    {
      responses: [responseAt(4500, { status: 503, hasRetryAfter: true })],
      outages: [{ component: 'database', from: 3000, to: 5000 }],
    },
  ],
  'late-failure': [
    {
      responses: [responseAt(7020, { status: 503, hasRetryAfter: true })],
      outages: [{ component: 'database', from: 3000, to: 5000 }],
    },
    {
      responses: [responseAt(7000, { status: 503, hasRetryAfter: true })],
      outages: [{ component: 'database', from: 3000, to: 5000 }],
    },
  ],
};

/** The value at the end is that of the first write, and the second write failed during an outage. */
function oneAtEnd(): Partial<ChaosLog> {
  return { ending: new Map([['name', 'one']]), outages: [{ component: 'database', from: 2900, to: 3100 }] };
}

for (const [rule, [broken, intact]] of Object.entries(cases)) {
  test(`finds ${rules[rule as Rule]}, but not in the closest intact log`, (t) => {
    t.deepEqual(brokenRules(broken), [rule]);
    t.deepEqual(brokenRules(intact), []);
  });
}

test('a send is wrong while the stage of the device is closed, and after the release is yanked or superseded', (t) => {
  const yanked: Commit = { at: 2500, project, kind: 'yank', version: '2.0' };
  const superseded: Commit = { at: 2500, project, kind: 'current', version: '3.0' };
  t.deepEqual(brokenRules({ group: 'second', commits: [rolloutAt(2000), attemptAt(3000)] }), ['send-after-halt']);
  t.deepEqual(brokenRules({ group: 'second', commits: [rolloutAt(2000, { openStages: 2 }), attemptAt(3000)] }), []);
  for (const change of [yanked, superseded]) {
    t.deepEqual(brokenRules({ commits: [rolloutAt(2000), change, attemptAt(3000)] }), ['send-after-halt']);
  }
  t.deepEqual(brokenRules({ commits: [rolloutAt(2000), superseded, attemptAt(3000, { version: '3.0' })] }), []);
});

test('a 304 is right for a device that runs the release, is not in an open stage, or must not be sent it again', (t) => {
  const commits = [rolloutAt(2000)];
  const responses = [responseAt(9000)];
  t.deepEqual(brokenRules({ commits, responses }), ['wrong-304']);
  t.deepEqual(brokenRules({ commits, responses: [responseAt(9000, { runs: '2.0' })] }), []);
  t.deepEqual(brokenRules({ commits, responses, group: 'second' }), []);
  const attempts = (changes: Partial<LoggedAttempt>) => [rolloutAt(2000), attemptAt(2001, { ...changes, sends: 1 })];
  t.deepEqual(brokenRules({ commits: attempts({ state: 'sent' }), responses }), ['wrong-304']);
  t.deepEqual(brokenRules({ commits: attempts({ state: 'failed' }), responses }), []);
  t.deepEqual(brokenRules({ commits: attempts({ lastInterrupted: 1 }), responses }), []);
});

test('a 304 to a slow request is right if it was right at any moment since the request', (t) => {
  const commits = [rolloutAt(2000)];
  t.deepEqual(brokenRules({ commits, responses: [responseAt(9000, { startedAt: 1990 })] }), []);
  t.deepEqual(brokenRules({ commits, responses: [responseAt(9000, { startedAt: 2010 })] }), ['wrong-304']);
});

test('an outage of one server excuses neither the other server nor failures without an outage', (t) => {
  const failed = { status: 503, hasRetryAfter: true };
  const outages = [{ component: 'process', server: 's2', from: 3000, to: 5000 }] as const;
  t.deepEqual(brokenRules({ responses: [responseAt(4000, failed)], outages }), ['late-failure']);
  t.deepEqual(brokenRules({ responses: [responseAt(4000, { ...failed, server: 's2' })], outages }), []);
  const fromBalancer = responseAt(4000, { status: 502, server: undefined });
  t.deepEqual(brokenRules({ responses: [fromBalancer], outages }), []);
  t.deepEqual(brokenRules({ responses: [fromBalancer] }), ['late-failure']);
  t.deepEqual(brokenRules({ responses: [responseAt(4000, { status: 500, server: 's2' })], outages }), [
    'wrong-outage-response',
  ]);
});

test('an outage of the bucket excuses a server that rejects a download, but not a load balancer without a server', (t) => {
  const outages = [{ component: 'blobs', from: 3000, to: 9000 }] as const;
  const failed = { status: 503, hasRetryAfter: true };
  t.deepEqual(brokenRules({ responses: [responseAt(4000, failed)], outages }), []);
  t.deepEqual(brokenRules({ responses: [responseAt(4000, { ...failed, server: undefined })], outages }), [
    'late-failure',
  ]);
});

test('a write without an acknowledgment may take effect, and concurrent writes may take effect in any order', (t) => {
  const failed = { value: 'two', status: 0, server: undefined };
  const outages = [{ component: 'process', server: 's2', from: 0, to: 9000 }] as const;
  for (const value of ['one', 'two']) {
    const ending = new Map([['name', value]]);
    t.deepEqual(brokenRules({ writes: [writeAt(2000), writeAt(3000, failed)], ending, outages }), [], value);
    const writes = [writeAt(2000), writeAt(2005, { value: 'two' })];
    t.deepEqual(brokenRules({ writes, ending }), [], value);
  }
  t.deepEqual(brokenRules({ writes: [writeAt(2000)] }), ['lost-write']);
});

test('an acknowledged action on a rollout must be committed between its request and its response', (t) => {
  const writes = [writeAt(3000, { value: 'paused', action: { project, rollout: 1 } })];
  for (const [at, state, isFound] of [
    [2995, 'paused', false],
    [2980, 'paused', true],
    [3010, 'paused', true],
    [2995, 'halted', true],
  ] as const) {
    const commits = [rolloutAt(at, { state })];
    t.deepEqual(brokenRules({ writes, commits }), isFound ? ['lost-write'] : [], `${state} at ${at}`);
  }
});
