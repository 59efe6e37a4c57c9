#include <Arduino.h>

namespace {
volatile uint32_t &uart(uint32_t offset) {
  return *reinterpret_cast<volatile uint32_t *>(0x60000000u + offset);
}
constexpr uint32_t kFifo = 0x00, kStatus = 0x1c, kDivider = 0x14;
}  // namespace

HardwareSerial Serial;

size_t Print::write(const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) write(bytes[i]);
  return count;
}

size_t Print::print(const __FlashStringHelper *text) {
  PGM_P flash = reinterpret_cast<PGM_P>(text);
  size_t count = 0;
  while (uint8_t byte = pgm_read_byte(flash++)) count += write(byte);
  return count;
}

size_t Print::printf(const char *format, ...) {
  char line[160];
  va_list values;
  va_start(values, format);
  vsnprintf(line, sizeof line, format, values);
  va_end(values);
  return print(line);
}

size_t Stream::readBytes(uint8_t *to, size_t count, uint32_t timeoutMs) {
  const uint32_t since = millis();
  size_t done = 0;
  while (done < count && millis() - since < timeoutMs) {
    const int byte = read();
    if (byte < 0) yield();
    else to[done++] = static_cast<uint8_t>(byte);
  }
  return done;
}

void HardwareSerial::begin(uint32_t baud) {
  uart(kDivider) = F_CPU / baud;
}

size_t HardwareSerial::write(uint8_t byte) {
  while (((uart(kStatus) >> 16) & 0xff) >= 126) yield();
  uart(kFifo) = byte;
  return 1;
}

int HardwareSerial::available() {
  return uart(kStatus) & 0xff;
}

int HardwareSerial::read() {
  return available() ? static_cast<int>(uart(kFifo) & 0xff) : -1;
}
