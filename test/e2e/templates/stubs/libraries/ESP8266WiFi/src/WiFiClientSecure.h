// TLS over a WiFiClient.
#pragma once
#include <Arduino.h>
#include "BearSSLHelpers.h"
#include "WiFiClient.h"
#include <time.h>

namespace BearSSL {

class X509List {
 public:
  X509List() {}
  explicit X509List(const char *pemCert) { (void)pemCert; }
  bool append(const char *) { return true; }
  size_t getCount() const { return 1; }
};

class Session {
 public:
  Session() {}
};

class WiFiClientSecure : public WiFiClient {
 public:
  void setSession(Session *) {}
  void setKnownKey(const PublicKey *, unsigned = 0x30) {}
  bool setFingerprint(const uint8_t[20]) { return true; }
  bool setFingerprint(const char *) { return true; }
  void setTrustAnchors(const X509List *) {}
  void setX509Time(time_t) {}
  void setBufferSizes(int, int) {}
  int getMFLNStatus() { return 0; }
  int getLastSSLError(char *dest = nullptr, size_t len = 0) { return (void)dest, (void)len, 0; }
  static bool probeMaxFragmentLength(const char *, uint16_t, uint16_t) { return false; }
  static bool probeMaxFragmentLength(const String &, uint16_t, uint16_t) { return false; }
};

}  // namespace BearSSL
using namespace BearSSL;
