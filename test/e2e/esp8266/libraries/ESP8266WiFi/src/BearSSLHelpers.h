// Classes that the Updater needs to verify a signature: a public key, SHA-256, and a verifier.
#pragma once
#define _BEARSSLHELPERS_H
#include <Arduino.h>
#include <Updater.h>

/// The part of BearSSL that the guard header uses.
struct br_rsa_public_key {
  unsigned char *n;
  size_t nlen;
  unsigned char *e;
  size_t elen;
};
typedef uint32_t (*br_rsa_pkcs1_vrfy)(const unsigned char *signature, size_t length, const unsigned char *oid, size_t hashLength,
                                      const br_rsa_public_key *key, unsigned char *hash);
extern "C" br_rsa_pkcs1_vrfy br_rsa_pkcs1_vrfy_get_default();

namespace BearSSL {

class PublicKey {
 public:
  PublicKey() = default;
  explicit PublicKey(PGM_P pem) { parse(pem); }
  bool parse(PGM_P pem);
  /// Sets a key from big-endian bytes.
  void set(const uint8_t *modulus, size_t bytes, uint32_t exponent);
  /// Returns whether the key made this signature of a SHA-256 digest, and the digest.
  bool digestOf(const uint8_t *signature, uint32_t bytes, uint8_t *digest) const;
  bool isRSA() const { return _bytes != 0; }
  size_t length() const { return _bytes; }
  bool open(const uint8_t *signature, uint8_t *message) const;

 private:
  static constexpr size_t kMaxWords = 128;
  uint32_t _modulus[kMaxWords] = {0};
  size_t _bytes = 0;
  uint32_t _exponent = 0;
};

class HashSHA256 : public UpdaterHashClass {
 public:
  void begin() override;
  void add(const void *data, uint32_t bytes) override;
  void end() override;
  int len() override { return 32; }
  const void *hash() override { return _digest; }
  const unsigned char *oid() override;

 private:
  void block(const uint8_t *bytes);
  uint32_t _state[8];
  uint8_t _buffer[64], _digest[32];
  uint64_t _total;
};

class SigningVerifier : public UpdaterVerifyClass {
 public:
  explicit SigningVerifier(PublicKey *key) : _key(key) {}
  uint32_t length() override { return _key->length(); }
  bool verify(UpdaterHashClass *hash, const void *signature, uint32_t bytes) override;

 private:
  PublicKey *_key;
};

}  // namespace BearSSL
