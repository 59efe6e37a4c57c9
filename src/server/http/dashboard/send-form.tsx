import type { Child } from 'hono/jsx';

interface SendFormProps {
  readonly action: string;
  readonly formToken: string;
  readonly children?: Child;
}

/** A form that changes something: it says of which session it is. */
export function SendForm({ action, formToken, children }: SendFormProps) {
  return (
    <form method="post" action={action}>
      <input type="hidden" name="form" value={formToken} />
      {children}
    </form>
  );
}
