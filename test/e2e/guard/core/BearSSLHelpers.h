#ifndef _BEARSSLHELPERS_H
#define _BEARSSLHELPERS_H
#include <bearssl/bearssl.h>

#include "StackThunk.h"
#include "Updater.h"

namespace BearSSL {

class PublicKey {
 public:
  PublicKey(const char *pem);
  ~PublicKey();
  uint32_t length() const;
  const br_rsa_public_key *rsa() const;
  const br_ec_public_key *ec() const;

 private:
  void *_key;
};

class HashSHA256 : public UpdaterHashClass {
 public:
  void begin() override;
  void add(const void *data, uint32_t length) override;
  void end() override;
  int len() override;
  const void *hash() override;
  const unsigned char *oid() override;

 private:
  br_sha256_context _context;
  unsigned char _digest[32];
};

class SigningVerifier : public UpdaterVerifyClass {
 public:
  SigningVerifier(PublicKey *key) : _key(key) { stack_thunk_add_ref(); }
  ~SigningVerifier() { stack_thunk_del_ref(); }
  uint32_t length() override;
  bool verify(UpdaterHashClass *hash, const void *signature, uint32_t length) override;

 private:
  PublicKey *_key;
};

}  // namespace BearSSL
#endif
