"""Simulates devices that download slowly: each reads a limited number of bytes per second through a small TCP window.

Reads a JSON document from stdin: port, path, bytesPerSecond, and the header lines of each device. Prints {"receiving": n} every second
until stdin is closed or a time limit is reached. Python is used because Node.js cannot limit the receive buffer of a socket. With
the default buffer, the kernel would receive a whole update immediately.
"""

import json
import socket
import sys
import threading
import time

LONGEST_SECONDS = 300
SLICES = 10
# Approximately the TCP window of a device (four segments).
WINDOW = 5840


def connect(port, request):
    """Opens a connection with a small window and sends the request."""
    device = socket.socket()
    device.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW // 2)
    device.connect(("127.0.0.1", port))
    device.sendall(request)
    device.setblocking(False)
    return device


def main():
    """Connects all devices, then reads a share of the bytes for each device ten times per second."""
    question = json.loads(sys.stdin.readline())
    closed = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    head = "GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n" % question["path"]
    devices, begun, share = [], set(), max(1, question["bytesPerSecond"] // SLICES)
    end = time.monotonic() + LONGEST_SECONDS
    for lines in question["devices"]:
        devices.append(connect(question["port"], (head + lines + "\r\n\r\n").encode()))
    while not closed.is_set() and time.monotonic() < end:
        for _ in range(SLICES):
            started = time.monotonic()
            for device in devices:
                try:
                    if device.recv(share).startswith(b"HTTP/1.1 200"):
                        begun.add(device)
                except BlockingIOError:
                    pass
                except OSError:
                    begun.discard(device)
            time.sleep(max(0, 1 / SLICES - (time.monotonic() - started)))
        print(json.dumps({"receiving": len(begun)}), flush=True)


main()
