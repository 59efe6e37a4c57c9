#include "Updater.h"

#include "eboot_command.h"

// First consumer of the header.
#include <Updater_Signing.h>

#if ARDUINO_SIGNING
namespace esp8266 {
extern UpdaterHashClass &updaterSigningHash;
extern UpdaterVerifyClass &updaterSigningVerifier;
}  // namespace esp8266
#endif

UpdaterClass Update;

UpdaterClass::UpdaterClass() {
#if ARDUINO_SIGNING
  _hash = &esp8266::updaterSigningHash;
  _verify = &esp8266::updaterSigningVerifier;
#endif
}

size_t UpdaterClass::end(uint32_t start, size_t size, int command) {
  _startAddress = start;
  _size = size;
  _command = command;
  uint32_t length = 0, word[2];
  const uint32_t at = start + size - 4;
  ESP.flashRead(at & ~3u, word, sizeof word);
  memcpy(&length, reinterpret_cast<uint8_t *>(word) + (at & 3), sizeof length);
  if (length != _verify->length() || size < length + 4) return 0;
  const size_t payload = size - length - 4;
  alignas(4) uint8_t block[128];
  _hash->begin();
  for (size_t offset = 0; offset < payload; offset += sizeof block) {
    ESP.flashRead(start + offset, reinterpret_cast<uint32_t *>(block), sizeof block);
    _hash->add(block, payload - offset < sizeof block ? payload - offset : sizeof block);
  }
  _hash->end();
  alignas(4) uint8_t signature[512 + 4];
  ESP.flashRead((start + payload) & ~3u, reinterpret_cast<uint32_t *>(signature), sizeof signature);
  return _verify->verify(_hash, signature + ((start + payload) & 3), length) ? _size : 0;
}
