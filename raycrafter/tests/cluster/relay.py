"""A ProxyCommand: host, port, directory. The network between worker and login node, with faults that are files there.

``bytes``: how many have gone through, both ways together. ``cut``: the connection ends after so many. ``rate``: bytes
per second.
"""

import os
import selectors
import socket
import sys
import time
from pathlib import Path

CHUNK = 16384


def number(path: Path) -> int:
    """What a file says, 0 without it."""
    return int(path.read_text()) if path.exists() else 0


def main() -> None:
    """Passes bytes on until either side ends."""
    host, port, directory = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    rate, cut, passed = directory / "rate", directory / "cut", 0
    server = socket.create_connection((host, port))
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ, server.sendall)
        selector.register(server, selectors.EVENT_READ, lambda data: sys.stdout.buffer.write(data))
        while True:
            for key, _ in selector.select():
                data = os.read(key.fd, CHUNK)
                passed += len(data)
                (directory / "bytes.new").write_text(str(passed))
                (directory / "bytes.new").rename(directory / "bytes")
                if not data or passed > (number(cut) or passed):
                    return
                key.data(data)
                sys.stdout.buffer.flush()
                if number(rate):
                    time.sleep(len(data) / number(rate))


main()
