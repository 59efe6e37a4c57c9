import type { Target } from '../../../delivery/inventory.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import { devicePasswords } from '../../shared/updates/device-passwords.ts';

/** Password of a device. `asked`: the user must enter it on the page first. */
type KnownPassword = 'asked' | { readonly password: string | undefined };

/**
 * Passwords of devices: those entered on the page, and those that the configuration names. Entered passwords are kept in memory until the
 * command ends, and never leave this class except for an update.
 */
export class SessionPasswords {
  readonly #entered = new Map<string, string>();
  readonly #rejected = new Set<string>();

  enter(password: string, devices: readonly string[]): void {
    for (const device of devices) this.#entered.set(device, password);
  }

  /** Forgets a password that the device rejected, so that the page asks for it again. */
  reject(device: string): void {
    this.#entered.delete(device);
    this.#rejected.add(device);
  }

  /**
   * Returns the password for an update. Like `upload`, reads it from the source in the configuration, and asks for it if the source is a
   * prompt or a variable that is not set.
   *
   * @param requiresPassword true if the device announces that updates require a password
   * @throws OtaError SECRET_RESERVED, SECRET_UNTRUSTED, FILE_UNREADABLE
   */
  async of(target: Target, requiresPassword: boolean, settings: ProjectSettings, io: Io): Promise<KnownPassword> {
    const { name, password: source } = target;
    const entered = this.#entered.get(name);
    if (entered !== undefined) return { password: entered };
    const isAsked = this.#rejected.has(name) || (source === undefined ? requiresPassword : 'prompt' in source);
    if (isAsked) return 'asked';
    try {
      return { password: (await devicePasswords([target], 'project', settings, io)).get(target) };
    } catch (error) {
      if (error instanceof OtaError && error.code === 'SECRET_MISSING') return 'asked';
      throw error;
    }
  }
}
