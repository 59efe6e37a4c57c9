#include "WiFiClient.h"

bool WiFiClient::connect(const char *host, uint16_t port) {
  Serial.printf("CONNECT %s:%u\n", host, port);
  return _open = true;
}

int WiFiClient::read() {
  const int byte = peek();
  _next = -1;
  return byte;
}

int WiFiClient::peek() {
  if (_next < 0 && available()) _next = Serial.read();
  return _next;
}
