import test from 'ava';
import { readDeviceFacts } from '../../../src/core/model/device-facts.ts';

const all = {
  core: '3.1.2',
  signing: 'required',
  keyFingerprint: 'a'.repeat(64),
  format: 'current',
  flashMode: 'dio',
  chipSizeBytes: 4194304,
  fsStart: 2097152,
  fsEnd: 4169728,
  sketchSizeBytes: 307200,
  transport: 'espota',
  atomicFs: false,
  kind: 'sketch',
  project: 'door',
  board: 'd1_mini',
};

function problemsOf(json: unknown): readonly string[] {
  const read = readDeviceFacts(json);
  return 'problems' in read ? read.problems : [];
}

test('reads all device facts and requires none of them', (t) => {
  t.deepEqual(readDeviceFacts(all), { facts: all });
  t.deepEqual(readDeviceFacts({}), { facts: {} });
  for (const name of Object.keys(all)) {
    const others = Object.fromEntries(Object.entries(all).filter(([other]) => other !== name));
    t.deepEqual(problemsOf(others), [], name);
  }
});

test('reports all problems in device facts together', (t) => {
  t.is(problemsOf({ cor: '3.1.2', signing: 'maybe', fsStart: 1, chipSizeBytes: 2 ** 25, atomicFs: 'no' }).length, 5);
});

test('rejects a filesystem that ends before it starts', (t) => {
  t.deepEqual(problemsOf({ fsStart: 8192, fsEnd: 8192 }), []);
  t.is(problemsOf({ fsStart: 8192, fsEnd: 4096 }).length, 1);
});

test('rejects device facts that are not an object', (t) => {
  for (const json of [null, [], 'facts', 3, true]) t.is(problemsOf(json).length, 1, JSON.stringify(json));
});
