import { secureHeaders } from 'hono/secure-headers';

/**
 * Headers of all responses of the dashboard and of the local page: the pages load nothing from elsewhere, and other sites cannot frame or
 * read them.
 */
export const pageHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
  // With the `no-referrer` policy, browsers would send forms with `Origin: null`.
  referrerPolicy: 'same-origin',
  xFrameOptions: 'DENY',
  // Strict-Transport-Security is not set, because browsers may not trust the server's own certificate. A reverse proxy can set it.
  strictTransportSecurity: false,
});
