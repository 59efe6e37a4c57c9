import { createHash } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { connect } from '../../../src/api/client/connection.ts';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { uploadBlob } from '../../../src/publishing/server/upload-blob.ts';
import {
  type Arrived,
  problem,
  type Reply,
  type ScriptedServer,
  scriptedServer,
} from '../../api/client/scripted-server.ts';
import { propertyRuns } from '../../support/property-runs.ts';

const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, index) => (index * 31) % 251));
const sha256 = createHash('sha256').update(bytes).digest('hex');

/** Fault injected into one request: a lost chunk, a lost response, half of the chunk, or a chunk damaged in transit. */
type Trouble = 'none' | 'lost' | 'answer-lost' | 'half' | 'damaged' | 'busy';

interface Storage {
  readonly server: ScriptedServer;
  stored: Buffer;
}

/** In-memory implementation of the upload API. */
async function storage(t: ExecutionContext, troubles: readonly Trouble[], present = 0): Promise<Storage> {
  const state = { stored: bytes.subarray(0, present) };
  const server = await scriptedServer(t, (request, count) => {
    const trouble = troubles[count - 1] ?? 'none';
    if (trouble === 'lost') return 'break';
    if (trouble === 'busy') return { status: 503, text: '' };
    if (request.method === 'PATCH') return patch(state, request, trouble);
    return { status: 200, json: stateOf(state.stored) };
  });
  return Object.assign(state, { server });
}

function patch(state: { stored: Buffer }, { headers, body }: Arrived, trouble: Trouble): Reply {
  const offset = Number(headers['upload-offset']);
  if (offset !== state.stored.length) return problem(409, 'upload-offset', { offset: state.stored.length });
  const arrived = trouble === 'half' ? body.subarray(0, body.length >> 1) : Buffer.from(body);
  if (trouble === 'damaged' && arrived.length > 0) arrived[0] = (arrived[0] ?? 0) ^ 1;
  state.stored = Buffer.concat([state.stored, arrived]);
  const isWhole = state.stored.length === Number(headers['upload-length']);
  if (isWhole && createHash('sha256').update(state.stored).digest('hex') !== sha256) {
    state.stored = Buffer.alloc(0);
    return problem(422, 'digest-mismatch');
  }
  if (trouble === 'half' || trouble === 'answer-lost') return 'break';
  return { status: 200, json: stateOf(state.stored) };
}

function stateOf(stored: Buffer) {
  return { sha256, offset: stored.length, complete: stored.length === bytes.length };
}

function upload({ server }: Storage, pieceBytes?: number): Promise<void> {
  const options = { url: server.url, token: 't', signal: new AbortController().signal, pausesMs: [0, 0, 0, 0, 0, 0] };
  return uploadBlob(connect(options), sha256, bytes, { pieceBytes });
}

test('uploadBlob sends all bytes once, in chunks', async (t) => {
  const place = await storage(t, []);
  await upload(place, 3000);
  t.true(place.stored.equals(bytes));
  const sent = place.server.arrived.filter(({ method }) => method === 'PATCH').map(({ body }) => body.length);
  t.deepEqual(sent, [3000, 3000, 3000, 1000]);
});

test('uploadBlob skips bytes that the server has already received', async (t) => {
  const whole = await storage(t, [], bytes.length);
  await upload(whole);
  t.deepEqual(
    whole.server.arrived.map(({ method }) => method),
    ['GET'],
  );
  const part = await storage(t, [], 4000);
  await upload(part);
  t.deepEqual(
    part.server.arrived.map(({ body }) => body.length),
    [0, 6000],
  );
  t.true(part.stored.equals(bytes));
});

test('uploadBlob delivers all bytes despite network faults', async (t) => {
  const trouble = fc.constantFrom<Trouble>('none', 'none', 'lost', 'answer-lost', 'half', 'busy');
  await fc.assert(
    fc.asyncProperty(
      fc.array(trouble, { maxLength: 12 }),
      fc.integer({ min: 1000, max: 12_000 }),
      async (troubles, size) => {
        const place = await storage(t, calm(troubles));
        await upload(place, size);
        t.true(place.stored.equals(bytes));
      },
    ),
    propertyRuns(25, 600),
  );
});

test('uploadBlob restarts from the beginning after a digest mismatch', async (t) => {
  const place = await storage(t, ['none', 'damaged']);
  await upload(place);
  t.true(place.stored.equals(bytes));
});

test("uploadBlob fails with the server's error after repeated digest mismatches", async (t) => {
  const place = await storage(t, Array<Trouble>(100).fill('damaged'));
  const error = await t.throwsAsync(upload(place), { instanceOf: OtaError });
  t.is(error?.code, 'SERVER_REJECTED');
  t.regex(error?.message ?? '', /digest-mismatch/);
  t.true(place.server.arrived.length < 12);
});

test('uploadBlob fails when the server makes no progress or reports no offset', async (t) => {
  for (const reply of [{ sha256, offset: 0, complete: false }, { offset: 'some' }, {}]) {
    const server = await scriptedServer(t, () => ({ status: 200, json: reply }));
    const error = await t.throwsAsync(upload({ server, stored: Buffer.alloc(0) }), { instanceOf: OtaError });
    t.is(error?.code, 'SERVER_NOT_OURS');
    t.true(server.arrived.length < 12);
  }
});

/** Limits consecutive faults so that the client does not stop retrying. */
function calm(troubles: readonly Trouble[]): Trouble[] {
  return troubles.flatMap((trouble, index) => (index % 3 === 2 ? [trouble, 'none', 'none'] : [trouble]));
}

test('uploadBlob counts the bytes that the server acknowledged, and sends larger pieces on a fast line', async (t) => {
  const large = Buffer.alloc(200_000, 7);
  const digest = createHash('sha256').update(large).digest('hex');
  const uploaded = async (pieceMs: number) => {
    let stored = 0;
    let now = 0;
    const shown: number[] = [];
    const sizes: number[] = [];
    const request: Parameters<typeof uploadBlob>[0] = async ({ method, bytes: piece }) => {
      if (method === 'PATCH') {
        t.is(shown.at(-1) ?? 0, stored, 'nothing is counted before the server has it');
        sizes.push(piece?.length ?? 0);
        stored += piece?.length ?? 0;
        now += pieceMs;
      }
      return { url: '', status: 200, json: { sha256: digest, offset: stored, complete: stored === large.length } };
    };
    await uploadBlob(request, digest, large, { onStored: (count) => shown.push(count), now: () => now });
    t.is(shown.at(-1), large.length);
    return sizes;
  };
  const kib = 1024;
  t.deepEqual(await uploaded(10), [16 * kib, 32 * kib, 64 * kib, 200_000 - 112 * kib]);
  t.deepEqual(new Set(await uploaded(8000)), new Set([16 * kib, 200_000 % (16 * kib)]));
});
