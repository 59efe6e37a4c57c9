"""Stands where the core has tools/espota.py: says what it would send.

Like the real one it sends FILE.signed when there is such a file, however old that is.
"""

import os
import sys

image = sys.argv[sys.argv.index("-f") + 1]
if os.path.isfile(image + ".signed"):
    image += ".signed"
print("espota would send %s (%d bytes)" % (os.path.basename(image), os.path.getsize(image)))
