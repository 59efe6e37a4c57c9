import test from 'ava';
import {
  agoText,
  counted,
  countText,
  exactDuration,
  percentText,
  roundedDuration,
  sizeText,
} from '../../../src/core/model/quantity-text.ts';

const cases: readonly (readonly [actual: string, expected: string])[] = [
  [countText(999), '999'],
  [countText(1809), '1,809'],
  [countText(1_234_567.5), '1,234,567.5'],
  [counted(1, 'device'), '1 device'],
  [counted(0, 'device'), '0 devices'],
  [counted(2000, 'entry', 'entries'), '2,000 entries'],
  [sizeText(512), '512 B'],
  [sizeText(9000), '9,000 B'],
  [sizeText(353_280), '345 KB'],
  [sizeText(1_258_291), '1.2 MB'],
  [percentText(0.1), '10%'],
  [percentText(0.999), '99%'],
  [roundedDuration(1000), '1 second'],
  [roundedDuration(5_400_000), '90 minutes'],
  [roundedDuration(36 * 3_600_000), '36 hours'],
  [exactDuration(90_000), '90 seconds'],
  [exactDuration(86_400_000), '1 day'],
  [exactDuration(600_000), '10 minutes'],
  [agoText(59_000), 'just now'],
  [agoText(180_000), '3 minutes ago'],
];

for (const [actual, expected] of cases) test(`formats a quantity as ${expected}`, (t) => t.is(actual, expected));
