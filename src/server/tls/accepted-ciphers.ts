/**
 * Ciphers that the server accepts, most preferred first, with the names of OpenSSL. docs/server.md justifies each one. If both sides
 * support several ciphers, the first one in this list is used, except that ChaCha20 is used for clients without AES hardware.
 */
export const acceptedCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  // The only cipher without forward secrecy. Sketches with "Basic SSL ciphers" (suites_basic_P in WiFiClientSecureBearSSL.cpp) support no
  // other cipher in this list.
  'AES128-SHA256',
] as const;
