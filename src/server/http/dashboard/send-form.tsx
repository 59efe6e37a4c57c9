import type { Child } from 'hono/jsx';

interface SendFormProps {
  readonly action: string;
  readonly formToken: string;
  readonly children?: Child;
}

/** Renders a form that changes data. The form includes the session's form token. */
export function SendForm({ action, formToken, children }: SendFormProps) {
  return (
    <form method="post" action={action}>
      <input type="hidden" name="form" value={formToken} />
      {children}
    </form>
  );
}
