#include "BearSSLHelpers.h"

#include <bearssl/bearssl.h>
#include <pgmspace.h>
#include <StackThunk.h>

// Second consumer of the header.
#include <Updater_Signing.h>

#ifdef __XTENSA__
// The verifier of the core, for the comparison of sizes.

/// In place of a thunk of the core, which has 60 bytes.
extern "C" bool verifySignature_on_second_stack(BearSSL::PublicKey *, UpdaterHashClass *, const unsigned char *, uint32_t);
__asm__(
    ".section .text.thunks, \"ax\", @progbits\n"
    ".global verifySignature_on_second_stack\n"
    "verifySignature_on_second_stack: .skip 56\n"
    ".word verifySignature\n"
    ".text\n");

namespace BearSSL {

uint32_t SigningVerifier::length() { return _key->length(); }

/// Runs on the second stack.
extern "C" bool verifySignature(PublicKey *key, UpdaterHashClass *hash, const unsigned char *signature, uint32_t length) {
  if (!key->rsa()) {
    const br_ecdsa_vrfy verify = br_ecdsa_vrfy_raw_get_default();
    return verify(br_ec_get_default(), hash->hash(), hash->len(), key->ec(), signature, length);
  }
  unsigned char signedHash[64];
  if (hash->len() > 64) return false;
  if (!br_rsa_pkcs1_vrfy_get_default()(signature, length, hash->oid(), hash->len(), key->rsa(), signedHash)) return false;
  return memcmp(signedHash, hash->hash(), hash->len()) == 0;
}

bool SigningVerifier::verify(UpdaterHashClass *hash, const void *signature, uint32_t length) {
  if (!_key || !hash || !signature || length != this->length()) return false;
  return verifySignature_on_second_stack(_key, hash, static_cast<const unsigned char *>(signature), length);
}

}  // namespace BearSSL
#endif

#if ARDUINO_SIGNING
static BearSSL::PublicKey signingKey(signing_pubkey);
static BearSSL::HashSHA256 signingHash;
static BearSSL::SigningVerifier signingVerifier(&signingKey);

namespace esp8266 {
extern UpdaterHashClass &updaterSigningHash;
extern UpdaterVerifyClass &updaterSigningVerifier;
UpdaterHashClass &updaterSigningHash = signingHash;
UpdaterVerifyClass &updaterSigningVerifier = signingVerifier;
}  // namespace esp8266
#endif
