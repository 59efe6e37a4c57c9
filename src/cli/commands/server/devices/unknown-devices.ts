import { counted } from '../../../../core/model/quantity-text.ts';
import type { Report } from '../../../output/report.ts';
import type { SetChangeResult } from './each-page.ts';

const mostListed = 5;

/** Warns about MACs that the server does not know. */
export function warnAboutUnknown({ unknown }: SetChangeResult, report: Report): void {
  if (unknown.length === 0) return;
  const others = unknown.length > mostListed ? ', …' : '';
  const listed = unknown.slice(0, mostListed).join(', ');
  report.warn(`the server does not know ${counted(unknown.length, 'device')}: ${listed}${others}`);
}
