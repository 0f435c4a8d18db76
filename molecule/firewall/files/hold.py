"""Hold a connection to an address and port and count the answers in /run/held.

The program exits when the peer closes the connection.
"""

import itertools
import socket
import sys
import time
from pathlib import Path

with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as connection:
    for count in itertools.count():
        connection.sendall(b"?")
        if not connection.recv(1):
            sys.exit("connection closed by the peer")
        Path("/run/held").write_text(str(count))
        time.sleep(0.1)
