import type { Log } from '../observability/log.ts';
import type { Certificate, CertificateSource } from './certificate.ts';

/** certbot renews a month ahead; a minute is soon enough, and the files are small. */
const defaultCheckEveryMs = 60_000;

/** A certificate that is read again while a server shows it. */
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

  /** @throws OtaError those of the source: a server does not start without a certificate */
  static async open(source: CertificateSource, log: Log): Promise<LiveCertificate> {
    return new LiveCertificate(source, log, await source.read());
  }

  get current(): Certificate {
    return this.#current;
  }

  /**
   * Reads it again, and tells of another one. What cannot be used, such as a new certificate whose key is yet to be written, leaves the
   * one that there is.
   */
  reload(onChange: (certificate: Certificate) => void): Promise<void> {
    this.#reading = this.#reading.then(() => this.#reload(onChange));
    return this.#reading;
  }

  /** Reloads it from time to time, until `stop` is called. */
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
      this.#log.info({}, 'the certificate was replaced');
    } catch (error) {
      const reason = String(error);
      if (reason !== this.#lastFailure) this.#log.warn({ err: error }, 'the certificate stays as it was');
      this.#lastFailure = reason;
    }
  }
}
