import { html } from 'hono/html';
import { HTTPException } from 'hono/http-exception';
import type { ServerParts } from '../../parts.ts';
import type { DomainError } from '../../services/domain-error.ts';
import { problemOf, statusOf } from '../api/problem-of.ts';
import { frameOf, Page } from './layout.tsx';
import type { PageContext } from './visitor.ts';

/** What could not be done, and what to do now. */
export function errorPage(error: Error, context: PageContext, parts: ServerParts) {
  const { status, title, hint } = error instanceof HTTPException ? refusedForm(error) : told(problemOf(error, parts));
  const frame = context.get('token') === undefined ? {} : frameOf(context);
  context.status(status);
  return context.html(
    html`<!doctype html>${(
      <Page title="Not done" {...frame}>
        <h1>That was not done</h1>
        <p class="problem" role="alert">
          {title}
        </p>
        <p>{hint}</p>
        <p>
          <a href="/">All projects</a>
        </p>
      </Page>
    )}`,
  );
}

function told(error: DomainError) {
  const { message, hint } = error;
  return { status: statusOf(error), title: sentence(message), hint };
}

/** Of hono's guards: a form from elsewhere, or one that is too large. */
function refusedForm({ status }: HTTPException) {
  const title = status === 413 ? 'The form is too large.' : 'This form was sent from a page of somebody else.';
  return { status, title, hint: 'Open the page here, and send it from there.' };
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
