// Copy this file to arduino_secrets.h and fill in the copy. Keep the copy out of git: it is in .gitignore.
// Only builds at your desk need it. Firmware built elsewhere holds no secrets and uses what the device has stored.
#pragma once

#define SECRET_WIFI_SSID ""
#define SECRET_WIFI_PASSWORD ""
// At least 12 characters: lets you send updates to the device from your desk.
#define SECRET_OTA_PASSWORD ""
