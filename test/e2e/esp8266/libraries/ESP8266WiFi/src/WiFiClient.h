// A byte stream over the serial port, where the real library uses TCP.
#pragma once
#include <Arduino.h>

class WiFiClient : public Stream {
 public:
  bool connect(const char *host, uint16_t port);
  void stop() { _open = false; }
  bool connected() const { return _open; }
  using Print::write;
  size_t write(uint8_t byte) override { return _open ? Serial.write(byte) : 0; }
  int available() override { return _open ? Serial.available() : 0; }
  int read() override;
  int peek() override;

 private:
  bool _open = false;
  int _next = -1;
};
