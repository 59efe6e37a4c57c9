import type { Log } from '../observability/log.ts';
import type { Certificate, CertificateSource } from './certificate.ts';

/** Interval between checks for a renewed certificate. certbot renews a month ahead, so a check once a minute is soon enough. */
const defaultCheckEveryMs = 60_000;

/** Certificate that is reloaded while a server uses it. */
export class LiveCertificate {
  readonly #source: CertificateSource;
  readonly #log: Log;
  #current: Certificate;
  #reading: Promise<void> = Promise.resolve();
  #lastFailure = '';

  private constructor(source: CertificateSource, log: Log, first: Certificate) {
    this.#source = source;
    this.#log = log;
    this.#current = first;
  }

  /**
   * Loads the certificate for the first time. The server does not start without one.
   *
   * @throws OtaError errors from the source
   */
  static async open(source: CertificateSource, log: Log): Promise<LiveCertificate> {
    return new LiveCertificate(source, log, await source.read());
  }

  get current(): Certificate {
    return this.#current;
  }

  /**
   * Reloads the certificate, and calls `onChange` if it has changed. Keeps the current certificate if the new one cannot be used, for
   * example because its key has not been written yet.
   */
  reload(onChange: (certificate: Certificate) => void): Promise<void> {
    this.#reading = this.#reading.then(() => this.#reload(onChange));
    return this.#reading;
  }

  /** Reloads the certificate periodically until `stop` is called. */
  watch(onChange: (certificate: Certificate) => void, everyMs = defaultCheckEveryMs): { stop(): Promise<void> } {
    const timer = setInterval(() => void this.reload(onChange), everyMs).unref();
    return {
      stop: () => {
        clearInterval(timer);
        return this.#reading;
      },
    };
  }

  async #reload(onChange: (certificate: Certificate) => void): Promise<void> {
    try {
      const next = await this.#source.read();
      this.#lastFailure = '';
      if (next.cert === this.#current.cert && next.key === this.#current.key) return;
      onChange(next);
      this.#current = next;
      this.#log.info({}, 'Certificate replaced');
    } catch (error) {
      const reason = String(error);
      if (reason !== this.#lastFailure)
        this.#log.warn(
          { err: error },
          'Could not reload the certificate; the server still uses the previous certificate',
        );
      this.#lastFailure = reason;
    }
  }
}
