"""Stand-in for the core's tools/espota.py that prints what it would send.

Like the real script, it sends FILE.signed if that file exists, however old it is.
"""

import os
import sys

image = sys.argv[sys.argv.index("-f") + 1]
if os.path.isfile(image + ".signed"):
    image += ".signed"
print("espota would send %s (%d bytes)" % (os.path.basename(image), os.path.getsize(image)))
