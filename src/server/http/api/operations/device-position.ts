import * as v from 'valibot';
import { printable } from '../../../../core/model/fields.ts';

/** Position in a list of devices: only devices with a higher MAC are returned. */
export const devicePosition = v.optional(
  v.pipe(
    v.string(),
    v.maxLength(64, 'must be a MAC'),
    printable,
    v.description('Value of `next` in the previous response. If absent, the list starts with the first device.'),
  ),
);
