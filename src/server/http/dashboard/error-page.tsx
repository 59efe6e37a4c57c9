import { HTTPException } from 'hono/http-exception';
import type { ServerParts } from '../../parts.ts';
import type { DomainError } from '../../services/domain-error.ts';
import { problemOf, statusOf } from '../api/problem-of.ts';
import { retryAfterSeconds } from '../retry-after.ts';
import { frameOf, Page, show } from './layout.tsx';
import type { PageContext } from './page-login.ts';

/** Shows the error of a failed request and a hint for the user. */
export function errorPage(error: Error, context: PageContext, parts: ServerParts) {
  const { status, title, hint } =
    error instanceof HTTPException ? refusedForm(error) : problemText(problemOf(error, parts));
  if (status === 503) context.header('Retry-After', String(retryAfterSeconds));
  const frame = context.get('token') === undefined ? {} : frameOf(context);
  return show(
    context,
    <Page title={headings[status] ?? 'Request failed'} {...frame}>
      <h1>{headings[status] ?? 'Request failed'}</h1>
      <p class="problem" role="alert">
        {title}
      </p>
      <p>{hint}</p>
      <p class="alone">
        <a href="/">All projects</a>
      </p>
    </Page>,
    status,
  );
}

/** What happened, by status. */
const headings: { readonly [Status in number]?: string } = {
  403: 'Not permitted',
  404: 'Not found',
  409: 'Not possible now',
  413: 'Form too large',
  422: 'Invalid input',
  429: 'Too many requests',
  500: 'Server error',
  503: 'Server unavailable',
};

function problemText(error: DomainError) {
  const { message, hint } = error;
  return { status: statusOf(error), title: sentence(message), hint };
}

/** Error from Hono's own checks: the form was submitted from a different site or is too large. */
function refusedForm({ status }: HTTPException) {
  return status === 413
    ? { status, title: 'The form is too large.', hint: 'Shorten the text and send the form again.' }
    : {
        status,
        title: 'The form was sent from a different site.',
        hint: 'Open the page on this server and send the form again.',
      };
}

/** Returns a message as a sentence. A file name at its start keeps its case. */
export function sentence(text: string): string {
  const whole = /^[a-z]+[ ,:]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
