// Print and the serial port.
#pragma once
#include <Arduino.h>

class Print {
 public:
  virtual size_t write(uint8_t byte) = 0;
  size_t write(const uint8_t *bytes, size_t count);
  size_t print(const char *text) { return write(reinterpret_cast<const uint8_t *>(text), strlen(text)); }
  size_t print(const __FlashStringHelper *text);
  size_t print(const String &text) { return print(text.c_str()); }
  size_t print(int value) { return printf("%d", value); }
  size_t print(unsigned value) { return printf("%u", value); }
  template <typename T> size_t println(const T &value) { return print(value) + println(); }
  size_t println() { return print("\r\n"); }
  size_t printf(const char *format, ...) __attribute__((format(printf, 2, 3)));
};

class Stream : public Print {
 public:
  virtual int available() = 0;
  virtual int read() = 0;
  virtual int peek() = 0;
  size_t readBytes(uint8_t *to, size_t count, uint32_t timeoutMs = 1000);
};

class HardwareSerial : public Stream {
 public:
  void begin(uint32_t baud);
  using Print::write;
  size_t write(uint8_t byte) override;
  int available() override;
  int read() override;
  int peek() override { return -1; }
};

extern HardwareSerial Serial;
