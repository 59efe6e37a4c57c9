// mDNS services and TXT records, which are never announced.
#pragma once
#include <Arduino.h>

class MDNSResponder {
 public:
  typedef const void *hMDNSService;
  typedef void *hMDNSTxt;

  bool begin(const char *) { return true; }
  bool begin(const String &) { return true; }
  bool end() { return true; }
  bool update() { return true; }
  hMDNSService addService(const char *, const char *, const char *, uint16_t) { return nullptr; }
  bool addService(const String &, const String &, uint16_t) { return true; }
  hMDNSTxt addServiceTxt(const hMDNSService, const char *, const char *) { return nullptr; }
  bool addServiceTxt(const char *, const char *, const char *, const char *) { return true; }
  bool addServiceTxt(const String &, const String &, const String &, const String &) { return true; }
};

static MDNSResponder MDNS;
