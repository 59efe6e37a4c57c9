// Stages a new image at the end of the sketch area, verifies it, and leaves a copy command for the bootloader.
#pragma once
#include <Arduino.h>

#define U_FLASH 0
#define U_FS 100

enum UpdateError : uint8_t {
  UPDATE_ERROR_OK = 0,
  UPDATE_ERROR_WRITE = 1,
  UPDATE_ERROR_ERASE = 2,
  UPDATE_ERROR_READ = 3,
  UPDATE_ERROR_SPACE = 4,
  UPDATE_ERROR_SIZE = 5,
  UPDATE_ERROR_STREAM = 6,
  UPDATE_ERROR_FLASH_CONFIG = 8,
  UPDATE_ERROR_MAGIC_BYTE = 10,
  UPDATE_ERROR_SIGN = 12,
};

class UpdaterHashClass {
 public:
  virtual void begin() = 0;
  virtual void add(const void *data, uint32_t bytes) = 0;
  virtual void end() = 0;
  virtual int len() = 0;
  virtual const void *hash() = 0;
  virtual const unsigned char *oid() = 0;
};

class UpdaterVerifyClass {
 public:
  virtual uint32_t length() = 0;
  virtual bool verify(UpdaterHashClass *hash, const void *signature, uint32_t bytes) = 0;
};

class UpdaterClass {
 public:
  UpdaterClass();
  bool installSignature(UpdaterHashClass *hash, UpdaterVerifyClass *verify);
  bool begin(size_t bytes, int command = U_FLASH);
  size_t write(const uint8_t *data, size_t bytes);
  size_t writeStream(Stream &in);
  bool end();
  void printError(Print &out);
  String getErrorString() const;
  uint8_t getError() const { return _error; }
  bool isRunning() const { return _size > 0; }
  size_t remaining() const { return _size - (_address - _startAddress); }

 private:
  bool fail(UpdateError error);
  bool flush();
  bool verifySignature();
  void copyAfterRestart();

  UpdateError _error = UPDATE_ERROR_OK;
  uint8_t *_buffer = nullptr;
  size_t _buffered = 0, _size = 0;
  // The guard header uses these three members by their names in the real core.
  uint32_t _startAddress = 0, _address = 0;
  uint32_t _command = U_FLASH;
  UpdaterHashClass *_hash = nullptr;
  UpdaterVerifyClass *_verify = nullptr;
};

extern UpdaterClass Update;
