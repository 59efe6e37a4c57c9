import { readFileSync } from 'node:fs';
import test from 'ava';
import { errorsPage, errorsPath } from '../../docs/errors-page.ts';
import { catalog, type ErrorCode } from '../../src/errors/ota-error.ts';
import { buildErrors } from './build-errors.ts';
import { commandErrors } from './command-errors.ts';
import { deliveryErrors } from './delivery-errors.ts';
import { keyErrors } from './key-errors.ts';
import type { Provocation } from './provocation.ts';
import { serverErrors } from './server-errors.ts';

/** One provocation for each error code; a missing code is a compile error. */
const provocations: Readonly<Record<ErrorCode, Provocation>> = {
  ...commandErrors,
  ...buildErrors,
  ...keyErrors,
  ...deliveryErrors,
  ...serverErrors,
};

test('docs/errors.md matches the error catalog (npm run docs writes it)', (t) => {
  t.is(readFileSync(errorsPath, 'utf8'), errorsPage());
});

for (const [code, provoke] of Object.entries(provocations) as [ErrorCode, Provocation][]) {
  test(`${code} can occur and is explained in docs/errors.md`, async (t) => {
    const { error } = await provoke(t);
    t.is(error?.code, code, error?.message);
    t.is(error?.exitCode, catalog[code].exitCode);
    t.true(readFileSync(errorsPath, 'utf8').includes(`\n### ${code}\n`));
  });
}
