// Copy this file to arduino_secrets.h and fill in the copy. Keep the copy out of git: add it to .gitignore first.
#pragma once

// Password of espota and of the web updater (user: admin). At least 12 characters.
#define SECRET_OTA_PASSWORD ""
