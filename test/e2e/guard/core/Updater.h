#pragma once
#include <Arduino.h>

#define U_FLASH 0
#ifndef CORE_2_5
#define U_FS 100
#endif

class UpdaterHashClass {
 public:
  virtual void begin() = 0;
  virtual void add(const void *data, uint32_t length) = 0;
  virtual void end() = 0;
  virtual int len() = 0;
  virtual const void *hash() = 0;
  virtual const unsigned char *oid() = 0;
};

class UpdaterVerifyClass {
 public:
  virtual uint32_t length() = 0;
  virtual bool verify(UpdaterHashClass *hash, const void *signature, uint32_t length) = 0;
};

class UpdaterClass {
 public:
  UpdaterClass();
  /// Verifies an update that is staged at an address, as UpdaterClass::end does. Returns the size for eboot, 0 for a rejected update.
  size_t end(uint32_t start, size_t size, int command);

 private:
#ifdef RENAMED_MEMBER
  uint32_t _start = 0;
#else
  uint32_t _startAddress = 0;
#endif
  uint32_t _command = 0;
  size_t _size = 0;
  UpdaterHashClass *_hash = nullptr;
  UpdaterVerifyClass *_verify = nullptr;
};
extern UpdaterClass Update;
