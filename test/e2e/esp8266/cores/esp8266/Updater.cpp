#include <Arduino.h>
#include "Updater.h"
#include "flash_hal.h"

// First consumer of the generated header: this file uses only whether signing is enabled.
#include <Updater_Signing.h>
#ifndef ARDUINO_SIGNING
#define ARDUINO_SIGNING 0
#endif

#if ARDUINO_SIGNING
namespace esp8266 {
extern UpdaterHashClass &updaterSigningHash;
extern UpdaterVerifyClass &updaterSigningVerifier;
}  // namespace esp8266
#endif

UpdaterClass Update;

UpdaterClass::UpdaterClass() {
#if ARDUINO_SIGNING
  installSignature(&esp8266::updaterSigningHash, &esp8266::updaterSigningVerifier);
#endif
}

bool UpdaterClass::installSignature(UpdaterHashClass *hash, UpdaterVerifyClass *verify) {
  if (isRunning()) return false;
  _hash = hash;
  _verify = verify;
  return true;
}

bool UpdaterClass::begin(size_t bytes, int command) {
  if (isRunning()) return false;
  if (bytes == 0) return fail(UPDATE_ERROR_SIZE);
  if (!ESP.checkFlashConfig()) return fail(UPDATE_ERROR_FLASH_CONFIG);
  const uint32_t rounded = (bytes + kSectorBytes - 1) & ~(kSectorBytes - 1);
  const uint32_t sketch = (ESP.getSketchSize() + kSectorBytes - 1) & ~(kSectorBytes - 1);
  const uint32_t end = FS_start - kFlashBase;
  if (command == U_FLASH) {
    _startAddress = end > rounded ? end - rounded : 0;
    if (_startAddress < sketch) return fail(UPDATE_ERROR_SPACE);
  } else {
    _startAddress = end;
    if (FS_start + rounded > FS_end) return fail(UPDATE_ERROR_SPACE);
  }
  if (!_buffer) _buffer = static_cast<uint8_t *>(malloc(kSectorBytes));
  if (!_buffer) return fail(UPDATE_ERROR_SPACE);
  _error = UPDATE_ERROR_OK;
  _command = command;
  _address = _startAddress;
  _size = bytes;
  _buffered = 0;
  return true;
}

size_t UpdaterClass::write(const uint8_t *data, size_t bytes) {
  if (_error || !isRunning()) return 0;
  if (_buffered + bytes > remaining()) return fail(UPDATE_ERROR_SPACE);
  size_t done = 0;
  while (done < bytes) {
    size_t part = kSectorBytes - _buffered;
    if (part > bytes - done) part = bytes - done;
    memcpy(_buffer + _buffered, data + done, part);
    _buffered += part;
    done += part;
    const bool full = _buffered == kSectorBytes || _buffered == remaining();
    if (full && !flush()) return done;
  }
  return done;
}

size_t UpdaterClass::writeStream(Stream &in) {
  const int first = in.peek();
  if (_command == U_FLASH && first != 0xe9 && first != 0x1f) return fail(UPDATE_ERROR_MAGIC_BYTE);
  uint8_t part[256];
  size_t total = 0;
  while (isRunning() && remaining() > _buffered) {
    const size_t left = remaining() - _buffered;
    const size_t count = in.readBytes(part, left < sizeof part ? left : sizeof part);
    if (!count) return fail(UPDATE_ERROR_STREAM);
    total += write(part, count);
  }
  return total;
}

bool UpdaterClass::end() {
  if (!isRunning() || _error) return false;
  if (_buffered && !flush()) return false;
  if (_verify && !verifySignature()) return fail(UPDATE_ERROR_SIGN);
  if (_command == U_FLASH) copyAfterRestart();
  _size = 0;
  return true;
}

bool UpdaterClass::flush() {
  if (_address % kSectorBytes == 0 && !ESP.flashEraseSector(_address / kSectorBytes)) return fail(UPDATE_ERROR_ERASE);
  const bool head = _address == _startAddress && _command == U_FLASH && _buffer[0] == 0xe9;
  const FlashMode_t mode = ESP.getFlashChipMode();
  if (head && mode != FM_UNKNOWN) _buffer[2] = mode;  // matches the chip's wiring, whatever mode the image specifies
  if (!ESP.flashWrite(_address, _buffer, (_buffered + 3) & ~3u)) return fail(UPDATE_ERROR_WRITE);
  _address += _buffered;
  _buffered = 0;
  yield();
  return true;
}

bool UpdaterClass::verifySignature() {
  uint32_t length = 0;
  ESP.flashRead(_startAddress + _size - sizeof length, &length, sizeof length);
  if (length != _verify->length() || _size < length + sizeof length) return false;
  const size_t payload = _size - length - sizeof length;
  uint32_t block[32];
  _hash->begin();
  for (size_t offset = 0; offset < payload; offset += sizeof block) {
    const size_t part = payload - offset < sizeof block ? payload - offset : sizeof block;
    if (!ESP.flashRead(_startAddress + offset, block, (part + 3) & ~3u)) return fail(UPDATE_ERROR_READ);
    _hash->add(block, part);
  }
  _hash->end();
  uint8_t *signature = static_cast<uint8_t *>(malloc(length));
  if (!signature) return false;
  ESP.flashRead(_startAddress + payload, signature, length);
  const bool good = _verify->verify(_hash, signature, length);
  free(signature);
  _size = payload;
  return good;
}

/// Writes the copy command to RTC memory, where the bootloader looks for it.
void UpdaterClass::copyAfterRestart() {
  volatile uint32_t *const command = reinterpret_cast<volatile uint32_t *>(0x60001280u);
  const uint32_t words[] = {0xeb001000u, 1, _startAddress, 0, static_cast<uint32_t>(_size)};
  uint32_t crc = 0xffffffffu;
  for (uint32_t i = 0; i < 5; i++) {
    command[i] = words[i];
    crc ^= words[i];
    for (int bit = 0; bit < 32; bit++) crc = crc & 0x80000000u ? (crc << 1) ^ 0x04c11db7u : crc << 1;
  }
  command[5] = crc;
}

bool UpdaterClass::fail(UpdateError error) {
  _error = error;
  _size = 0;
  return false;
}

String UpdaterClass::getErrorString() const {
  switch (_error) {
    case UPDATE_ERROR_OK: return F("No Error");
    case UPDATE_ERROR_WRITE: return F("Flash Write Failed");
    case UPDATE_ERROR_ERASE: return F("Flash Erase Failed");
    case UPDATE_ERROR_READ: return F("Flash Read Failed");
    case UPDATE_ERROR_SPACE: return F("Not Enough Space");
    case UPDATE_ERROR_SIZE: return F("Bad Size Given");
    case UPDATE_ERROR_STREAM: return F("Stream Read Timeout");
    case UPDATE_ERROR_FLASH_CONFIG: return F("Flash config wrong");
    case UPDATE_ERROR_MAGIC_BYTE: return F("Magic byte is not 0xE9");
    case UPDATE_ERROR_SIGN: return F("Signature verification failed");
  }
  return F("UNKNOWN");
}

void UpdaterClass::printError(Print &out) {
  out.print(F("ERROR["));
  out.print(static_cast<int>(_error));
  out.print(F("]: "));
  out.println(getErrorString());
}
