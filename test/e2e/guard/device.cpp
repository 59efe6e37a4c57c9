// A device on this computer: stages an update at an address in its flash, and verifies it. Reads one update per line: FILE START COMMAND
// MODE CHIP_BYTES. Prints the size for eboot, the rejection code and the lines on Serial.
#include <bearssl/bearssl.h>
#include <stdio.h>
#include <string.h>

#include "core/BearSSLHelpers.h"

extern "C" uint8_t ota_hooks_rejection();

namespace {

constexpr uint32_t kFlashBytes = 4 << 20;
uint8_t flash[kFlashBytes + 1024];
int chip_mode;
unsigned chip_bytes;
int second_stack_users;

}  // namespace

EspClass ESP;
SerialPort Serial;

bool EspClass::flashRead(uint32_t address, uint32_t *data, size_t bytes) {
  if (address % 4 || bytes % 4 || reinterpret_cast<uintptr_t>(data) % 4 || address > kFlashBytes) {
    printf("read of %zu bytes at %#x\n", bytes, address);
    return false;
  }
  memcpy(data, flash + address, bytes);
  return true;
}

FlashMode_t EspClass::getFlashChipMode() { return static_cast<FlashMode_t>(chip_mode); }
uint32_t EspClass::getFlashChipRealSize() { return chip_bytes; }
uint32_t EspClass::magicFlashChipSize(uint8_t nibble) {
  const uint32_t kilobytes[] = {512, 256, 1024, 2048, 4096, 2048, 4096, 0, 8192, 16384};
  return nibble < 10 ? kilobytes[nibble] * 1024 : 0;
}

void SerialPort::printf_P(const char *format, unsigned number) { printf(format, number); }

void stack_thunk_add_ref() { second_stack_users++; }
void stack_thunk_del_ref() { second_stack_users--; }

namespace BearSSL {

void HashSHA256::begin() { br_sha256_init(&_context); }
void HashSHA256::add(const void *data, uint32_t length) { br_sha256_update(&_context, data, length); }
void HashSHA256::end() { br_sha256_out(&_context, _digest); }
int HashSHA256::len() { return sizeof _digest; }
const void *HashSHA256::hash() { return _digest; }
const unsigned char *HashSHA256::oid() {
  static const unsigned char sha256[] = {9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1};
  return sha256;
}

}  // namespace BearSSL

int main() {
  char path[512];
  unsigned start;
  int command;
  while (scanf("%500s %u %d %d %u", path, &start, &command, &chip_mode, &chip_bytes) == 5) {
    memset(flash, 0xff, sizeof flash);
    FILE *file = fopen(path, "rb");
    if (!file) return 1;
    const size_t size = fread(flash + start, 1, kFlashBytes - start, file);
    fclose(file);
    // The Updater replaces the mode of a raw image (UpdaterClass::_writeBuffer).
    if (command == U_FLASH && flash[start] != 0x1f) flash[start + 2] = static_cast<uint8_t>(chip_mode);
    const size_t staged = Update.end(start, size, command);
    printf("%zu %u %d\n", staged, ota_hooks_rejection(), second_stack_users);
  }
  return 0;
}
