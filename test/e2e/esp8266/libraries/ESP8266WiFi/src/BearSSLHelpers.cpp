#include "BearSSLHelpers.h"

#include <StackThunk.h>

// Second consumer of the generated header: this file uses the key itself.
#include <Updater_Signing.h>
#ifndef ARDUINO_SIGNING
#define ARDUINO_SIGNING 0
#endif

namespace BearSSL {

namespace {

int sextet(char character) {
  if (character >= 'A' && character <= 'Z') return character - 'A';
  if (character >= 'a' && character <= 'z') return character - 'a' + 26;
  if (character >= '0' && character <= '9') return character - '0' + 52;
  if (character == '+') return 62;
  return character == '/' ? 63 : -1;
}

/// Decodes the Base64 text between the first two PEM marker lines. Returns the number of bytes, 0 if there are none.
size_t decodePem(PGM_P pem, uint8_t *der, size_t room) {
  const size_t length = strlen_P(pem);
  size_t at = 0, bytes = 0;
  while (at < length && pgm_read_byte(pem + at) != '\n') at++;
  uint32_t bits = 0, count = 0;
  for (; at < length; at++) {
    const char character = static_cast<char>(pgm_read_byte(pem + at));
    if (character == '-' || character == '=') break;
    const int value = sextet(character);
    if (value < 0) continue;
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (++count % 4 == 1) continue;
    if (bytes == room) return 0;
    der[bytes++] = static_cast<uint8_t>(bits >> (6 - 2 * ((count + 3) % 4)));
  }
  return bytes;
}

/// Enters a DER value with the given tag: sets its length and returns its contents, or null.
const uint8_t *enter(const uint8_t *der, const uint8_t *end, uint8_t tag, size_t &length) {
  if (end - der < 2 || der[0] != tag) return nullptr;
  length = der[1];
  der += 2;
  if (length & 0x80) {
    size_t count = length & 0x7f;
    if (count > 2) return nullptr;
    for (length = 0; count--; der++) length = length << 8 | *der;
  }
  return der + length <= end ? der : nullptr;
}

bool lessThan(const uint32_t *left, const uint32_t *right, size_t words) {
  while (words--) {
    if (left[words] != right[words]) return left[words] < right[words];
  }
  return false;
}

uint32_t subtract(uint32_t *from, const uint32_t *what, size_t words) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < words; i++) {
    const uint64_t difference = static_cast<uint64_t>(from[i]) - what[i] - borrow;
    from[i] = static_cast<uint32_t>(difference);
    borrow = difference >> 63;
  }
  return static_cast<uint32_t>(borrow);
}

uint32_t doubled(uint32_t *number, size_t words) {
  uint32_t carry = 0;
  for (size_t i = 0; i < words; i++) {
    const uint32_t next = number[i] >> 31;
    number[i] = number[i] << 1 | carry;
    carry = next;
  }
  return carry;
}

uint32_t add(uint32_t *to, const uint32_t *what, size_t words) {
  uint64_t carry = 0;
  for (size_t i = 0; i < words; i++) {
    carry += static_cast<uint64_t>(to[i]) + what[i];
    to[i] = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
  return static_cast<uint32_t>(carry);
}

/// product = left * right mod modulus, one bit of `left` at a time.
void multiply(uint32_t *product, const uint32_t *left, const uint32_t *right, const uint32_t *modulus, size_t words) {
  memset(product, 0, words * 4);
  for (size_t bit = words * 32; bit--;) {
    if (doubled(product, words) || !lessThan(product, modulus, words)) subtract(product, modulus, words);
    if (!(left[bit / 32] >> (bit % 32) & 1)) continue;
    if (add(product, right, words) || !lessThan(product, modulus, words)) subtract(product, modulus, words);
  }
}

}  // namespace

bool PublicKey::parse(PGM_P pem) {
  uint8_t der[640];
  const size_t size = decodePem(pem, der, sizeof der);
  const uint8_t *const end = der + size;
  size_t length;
  const uint8_t *at = enter(der, end, 0x30, length);
  if (!at || !(at = enter(at, end, 0x30, length))) return false;
  at += length;
  if (!(at = enter(at, end, 0x03, length)) || !(at = enter(at + 1, end, 0x30, length))) return false;
  if (!(at = enter(at, end, 0x02, length))) return false;
  const uint8_t *const modulusEnd = at + length;
  while (at < modulusEnd && !*at) at++;
  set(at, static_cast<size_t>(modulusEnd - at), 0);
  at = enter(modulusEnd, end, 0x02, length);
  if (!at) _bytes = 0;
  for (_exponent = 0; at && length--; at++) _exponent = _exponent << 8 | *at;
  return _bytes != 0;
}

void PublicKey::set(const uint8_t *modulus, size_t bytes, uint32_t exponent) {
  _bytes = bytes > sizeof _modulus ? 0 : bytes;
  _exponent = exponent;
  for (size_t i = 0; i < _bytes; i++) {
    const size_t place = _bytes - 1 - i;
    _modulus[place / 4] |= static_cast<uint32_t>(modulus[i]) << (place % 4 * 8);
  }
}

bool PublicKey::open(const uint8_t *signature, uint8_t *message) const {
  const size_t words = (_bytes + 3) / 4;
  uint32_t *const memory = static_cast<uint32_t *>(calloc(words * 3, 4));
  if (!memory) return false;
  uint32_t *const base = memory, *power = memory + words, *scratch = memory + 2 * words;
  for (size_t i = 0; i < _bytes; i++) {
    const size_t place = _bytes - 1 - i;
    base[place / 4] |= static_cast<uint32_t>(signature[i]) << (place % 4 * 8);
  }
  memcpy(power, base, words * 4);
  for (int bit = 30 - __builtin_clz(_exponent); bit >= 0; bit--) {
    multiply(scratch, power, power, _modulus, words);
    memcpy(power, scratch, words * 4);
    if (_exponent >> bit & 1) {
      multiply(scratch, power, base, _modulus, words);
      memcpy(power, scratch, words * 4);
    }
    yield();
  }
  for (size_t i = 0; i < _bytes; i++) {
    const size_t place = _bytes - 1 - i;
    message[i] = static_cast<uint8_t>(power[place / 4] >> (place % 4 * 8));
  }
  free(memory);
  return true;
}

static const uint32_t kRounds[64] PROGMEM = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotated(uint32_t word, int by) {
  return word >> by | word << (32 - by);
}

void HashSHA256::begin() {
  static const uint32_t initial[8] PROGMEM = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy_P(_state, initial, sizeof initial);
  _total = 0;
}

void HashSHA256::add(const void *data, uint32_t bytes) {
  const uint8_t *from = static_cast<const uint8_t *>(data);
  while (bytes--) {
    _buffer[_total++ % 64] = *from++;
    if (_total % 64 == 0) block(_buffer);
  }
}

void HashSHA256::end() {
  const uint64_t bits = _total * 8;
  const uint8_t mark = 0x80, zero = 0;
  add(&mark, 1);
  while (_total % 64 != 56) add(&zero, 1);
  for (int shift = 56; shift >= 0; shift -= 8) {
    const uint8_t byte = static_cast<uint8_t>(bits >> shift);
    add(&byte, 1);
  }
  for (int i = 0; i < 32; i++) _digest[i] = static_cast<uint8_t>(_state[i / 4] >> (24 - i % 4 * 8));
}

void HashSHA256::block(const uint8_t *bytes) {
  uint32_t words[64], s[8];
  for (int i = 0; i < 16; i++) words[i] = static_cast<uint32_t>(bytes[4 * i]) << 24 | bytes[4 * i + 1] << 16 | bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    const uint32_t a = words[i - 15], b = words[i - 2];
    words[i] = words[i - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + words[i - 7] + (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
  }
  memcpy(s, _state, sizeof s);
  for (int i = 0; i < 64; i++) {
    const uint32_t t1 = s[7] + (rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + kRounds[i] + words[i];
    const uint32_t t2 = (rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    for (int j = 7; j > 0; j--) s[j] = s[j - 1];
    s[4] += t1;
    s[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) _state[i] += s[i];
}

const unsigned char *HashSHA256::oid() {
  static const unsigned char sha256[] = {9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
  return sha256;
}

bool PublicKey::digestOf(const uint8_t *signature, uint32_t bytes, uint8_t *digest) const {
  static const uint8_t info[19] PROGMEM = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
  if (!isRSA() || bytes != length() || bytes < 62) return false;
  uint8_t *const message = static_cast<uint8_t *>(malloc(bytes));
  if (!message || !open(signature, message)) {
    free(message);
    return false;
  }
  uint8_t wrong = message[0] | (message[1] ^ 1) | message[bytes - 52];
  for (uint32_t i = 2; i < bytes - 52; i++) wrong |= message[i] ^ 0xff;
  for (uint32_t i = 0; i < sizeof info; i++) wrong |= message[bytes - 51 + i] ^ pgm_read_byte(info + i);
  memcpy(digest, message + bytes - 32, 32);
  free(message);
  return wrong == 0;
}

bool SigningVerifier::verify(UpdaterHashClass *hash, const void *signature, uint32_t bytes) {
  uint8_t digest[32];
  return _key->digestOf(static_cast<const uint8_t *>(signature), bytes, digest) && memcmp(digest, hash->hash(), sizeof digest) == 0;
}

}  // namespace BearSSL

static uint32_t verifyPkcs1(const unsigned char *signature, size_t length, const unsigned char *, size_t, const br_rsa_public_key *key,
                            unsigned char *hash) {
  uint32_t exponent = 0;
  for (size_t i = 0; i < key->elen; i++) exponent = exponent << 8 | key->e[i];
  BearSSL::PublicKey opened;
  opened.set(key->n, key->nlen, exponent);
  return opened.digestOf(signature, length, hash);
}

extern "C" br_rsa_pkcs1_vrfy br_rsa_pkcs1_vrfy_get_default() {
  return verifyPkcs1;
}

static const size_t kStackBytes = 6200;
static uint32_t *stack = nullptr;
uint32_t *stack_thunk_top = nullptr;

void stack_thunk_add_ref() {
  if (!stack) stack = static_cast<uint32_t *>(malloc(kStackBytes));
  stack_thunk_top = stack + kStackBytes / 4 - 4;
}

void stack_thunk_del_ref() {
  free(stack);
  stack = stack_thunk_top = nullptr;
}

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
