// Files on a filesystem that does not exist.
#pragma once
#include <Arduino.h>

namespace fs {

class FS;

class File : public Stream {
 public:
  size_t write(uint8_t) override { return 0; }
  using Print::write;
  int available() override { return 0; }
  int read() override { return -1; }
  int peek() override { return -1; }
  size_t size() const { return 0; }
  void close() {}
  operator bool() const { return false; }
  const char *name() const { return nullptr; }
};

class FSConfig {
 public:
  static constexpr uint32_t FSId = 0x00000000;
  FSConfig(uint32_t type = FSId, bool autoFormat = true) : _type(type), _autoFormat(autoFormat) {}
  uint32_t _type;
  bool _autoFormat;
};

class FS {
 public:
  bool setConfig(const FSConfig &) { return true; }
  bool begin() { return true; }
  void end() {}
  bool format() { return true; }
  File open(const char *, const char *) { return File(); }
  File open(const String &, const char *) { return File(); }
  bool exists(const char *) { return false; }
  bool exists(const String &) { return false; }
  bool remove(const char *) { return false; }
  bool remove(const String &) { return false; }
  bool rename(const char *, const char *) { return false; }
  bool rename(const String &, const String &) { return false; }
};

}  // namespace fs

using fs::File;
using fs::FS;
using fs::FSConfig;

extern "C" inline void close_all_fs(void) {}
