// Copy this file to arduino_secrets.h and fill in the copy. Keep the copy out of git: add it to .gitignore first.
#pragma once

#define SECRET_WIFI_SSID ""
#define SECRET_WIFI_PASSWORD ""
// At least 12 characters. Use a different password for each device if you can manage them.
#define SECRET_OTA_PASSWORD ""
