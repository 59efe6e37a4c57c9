/** Tries each cell of the column "guarded device" in docs/security.md on the device model. */
import test, { type ExecutionContext } from 'ava';
import { deviceAtRest } from '../../src/core/device-model/model-device.ts';
import { runUpdate, type UpdateOptions } from '../../src/core/device-model/run-update.ts';
import { productDigest } from '../../src/core/firmware/update-metadata.ts';
import {
  filesystem,
  guard,
  gzip,
  image,
  outcomeOf,
  raw,
  second,
  sign,
  unknown,
} from '../core/device-model/guarded-device.ts';
import { deviceOf, keyOf, signed, sketchOf } from '../core/device-model/recipes.ts';
import { readPage } from './pages.ts';

const cases: Readonly<Record<string, { readonly cell: string; readonly run: (t: ExecutionContext) => void }>> = {
  'an attacker on the network who sends different firmware': {
    cell: 'rejected: none of its keys made the signature',
    run: (t) => {
      t.is(strict(sign(raw(), unknown)), 1);
      t.is(strict(sign(gzip(), unknown)), 1);
    },
  },
  'a byte that changes in transit, or in flash while the update is staged': {
    cell: 'rejected',
    run: (t) => {
      for (const payload of [sign(raw()), sign(gzip())]) {
        for (const at of [0x2000, payload.length - 300, payload.length - 10]) {
          const changed = payload.slice();
          changed[at] = (changed[at] ?? 0) ^ 1;
          t.is(strict(changed), 1, String(at));
        }
      }
    },
  },
  'a leaked web updater or espota password': {
    cell: 'rejected',
    run: (t) => {
      for (const transport of ['web', 'espota'] as const) t.is(strict(raw(), { transport }), 1);
    },
  },
  replay: {
    cell: 'rejected, if the old version has a lower security version',
    run: (t) => {
      t.is(strict(sign(raw({ securityVersion: 1 }))), 5);
      t.is(strict(sign(gzip({ securityVersion: 1 }))), 5);
      t.is(strict(sign(raw({ securityVersion: 2 }))), 'updated', 'an old version with the same security version');
      t.is(strict(sign(image)), 2, 'an old version without metadata');
      t.is(outcomeOf(sign(image)), 'updated', 'with the default of `require`');
    },
  },
  'mixing up kinds and products': {
    cell: 'rejected',
    run: (t) => {
      t.is(strict(sign(raw({ product: productDigest('window') }))), 3);
      t.is(strict(sign(gzip({ kind: 'filesystem', flashModeByte: 0, flashSizeByte: 0 }, filesystem))), 4);
      t.is(strict(sign(raw()), { kind: 'filesystem' }), 4);
    },
  },
  'physical access': {
    cell: 'not protected',
    run: (t) => {
      // Writing over the serial port involves no code of the device: the next update is checked by what was written.
      const guarded = deviceOf({ core: '3.1.2', guard: guard('metadata') });
      const flashed = deviceAtRest({ ...guarded, guard: undefined, verifier: keyOf('current') }, sketchOf({ seed: 9 }));
      const { outcome } = runUpdate(flashed, signed(image), { transport: 'espota', kind: 'sketch', expected: image });
      t.is(outcome, 'updated', 'a key that the guard does not know');
    },
  },
  'reading the firmware': {
    cell: 'not protected',
    run: (t) => {
      const update = sign(raw());
      t.is(strict(update), 'updated');
      t.true(Buffer.from(update).includes(Buffer.from(image)));
    },
  },
  'a compromised build machine': {
    cell: 'not protected',
    run: (t) => {
      t.is(strict(sign(raw()), {}), 'updated', 'whatever a key of the device signs');
    },
  },
  'losing the private key': {
    cell: 'accepts updates that a backup key signed',
    run: (t) => {
      t.is(strict(sign(raw(), second)), 'updated');
      t.is(strict(sign(gzip(), second)), 'updated');
    },
  },
};

/** Sends an update to a device whose guard requires metadata. */
function strict(bytes: Uint8Array, options: Partial<UpdateOptions> = {}): string | number {
  return outcomeOf(bytes, { require: 'metadata', options });
}

/** Rows of the two tables at the start of the page: the hazard and the last cell. */
function rows(): readonly (readonly [string, string])[] {
  const [tables = ''] = readPage('docs/security.md').text.split('A signature does not show');
  return [...tables.matchAll(/^\| (.+) \| (?:.+) \| (.+) \|$/gm)]
    .map(([, hazard = '', cell = '']): [string, string] => [/^\*\*(.+?)\*\*/.exec(hazard)?.[1] ?? hazard, cell])
    .filter(([, cell]) => cell !== 'guarded device' && cell !== '---');
}

test('every row of the security tables has a case', (t) => {
  t.deepEqual(
    rows(),
    Object.entries(cases).map(([name, { cell }]) => [name, cell]),
  );
});

for (const [name, { cell, run }] of Object.entries(cases)) test(`guarded device, ${name}: ${cell}`, run);
