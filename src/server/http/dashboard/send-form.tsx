import type { Child } from 'hono/jsx';

interface SendFormProps {
  readonly action: string;
  readonly formToken: string;
  /** True if the form contains files. */
  readonly hasFiles?: boolean | undefined;
  readonly class?: string | undefined;
  readonly children?: Child;
}

/** Renders a form that changes data. The form includes the session's form token. */
export function SendForm({ action, formToken, hasFiles = false, class: className, children }: SendFormProps) {
  return (
    <form method="post" action={action} class={className} enctype={hasFiles ? 'multipart/form-data' : undefined}>
      <input type="hidden" name="form" value={formToken} />
      {children}
    </form>
  );
}
