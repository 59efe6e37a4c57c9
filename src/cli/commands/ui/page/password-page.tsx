import { SendForm } from '../../../../server/http/dashboard/send-form.tsx';
import { LocalPage } from './layout.tsx';

interface PasswordPageProps {
  /** Devices for which a password must be entered. */
  readonly locked: readonly string[];
  /** Devices to update. */
  readonly devices: readonly string[];
  readonly canary: string;
  readonly problem: string | undefined;
  readonly formToken: string;
}

/** Asks for one password, which can serve several devices. If devices with other passwords remain, the page appears again for them. */
export function PasswordPage({ locked, devices, canary, problem, formToken }: PasswordPageProps) {
  const [only, ...others] = locked;
  return (
    <LocalPage title="Password">
      <div class="single">
        <h1>Password</h1>
        {problem === undefined ? undefined : (
          <p id="problem" class="problem" role="alert">
            {problem}
          </p>
        )}
        <SendForm action="password" formToken={formToken}>
          {devices.map((name) => (
            <input type="hidden" name="device" value={name} />
          ))}
          <input type="hidden" name="canary" value={canary} />
          {others.length === 0 ? (
            <>
              <input type="hidden" name="for" value={only} />
              <p>{only} requires a password for updates.</p>
            </>
          ) : (
            <fieldset>
              <legend>Devices with this password</legend>
              {locked.map((name) => (
                <label class="check">
                  <input type="checkbox" name="for" value={name} checked={devices.includes(name)} />
                  {name}
                </label>
              ))}
            </fieldset>
          )}
          <div class="field">
            <label for="password">Password</label>
            {/* Browsers do not offer to save a one-time code. */}
            <input
              id="password"
              name="password"
              type="password"
              autocomplete="one-time-code"
              spellcheck={false}
              required
              autofocus
              aria-describedby={problem === undefined ? 'hint' : 'problem hint'}
            />
          </div>
          <p id="hint" class="quiet">
            ota-hooks keeps the password in memory until it ends. It is stored neither in a file nor in the browser.
          </p>
          <div class="buttons">
            <button class="main" type="submit">
              Update
            </button>
            <a class="button" href="./">
              Cancel
            </a>
          </div>
        </SendForm>
      </div>
    </LocalPage>
  );
}
