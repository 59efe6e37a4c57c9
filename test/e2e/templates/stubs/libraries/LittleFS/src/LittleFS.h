#pragma once
#include <FS.h>

namespace littlefs_impl {

class LittleFSConfig : public FSConfig {
 public:
  static constexpr uint32_t FSId = 0x4c495454;
  LittleFSConfig(bool autoFormat = true) : FSConfig(FSId, autoFormat) {}
};

}  // namespace littlefs_impl

using littlefs_impl::LittleFSConfig;

static FS LittleFS;
