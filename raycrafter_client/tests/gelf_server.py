"""Run a log server in a process that tests kill.

Usage: gelf_server.py TRANSPORT PORT CERTIFICATE KEY CA FILE SECONDS-PER-MESSAGE

The server writes every message to FILE before it acknowledges the message, and prints its port.
"""

import itertools
import os
import socket
import ssl
import sys
import threading
import time

TRANSPORT, PORT, CERTIFICATE, KEY, CA, FILE, SECONDS = sys.argv[1:]


def tcp(file):
    """Yield the messages of one connection."""
    rest = b""
    while data := file.read1(65536):
        *messages, rest = (rest + data).split(b"\0")
        yield from messages


# not recorded: Graylog's GELF HTTP input; form: HttpHandler.java of graylog2-server (202, an empty body)
def http(file):
    """Yield the message of each request of one connection."""
    lines = iter(file.readline, b"")  # an empty line is the end of the connection
    while head := b"".join(itertools.takewhile(lambda line: line != b"\r\n", lines)):
        yield file.read(int(head.rstrip().rpartition(b" ")[2]))


def serve(plain):
    """Receive the messages of one connection."""
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(plain, server_side=True) as connection, connection.makefile("rb") as file:
        for message in tcp(file) if TRANSPORT == "tcp" else http(file):
            time.sleep(float(SECONDS))
            os.write(out, message + b"\n")
            if TRANSPORT == "http":
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=CA)
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain(CERTIFICATE, KEY)
out = os.open(FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(PORT)))
listener.listen(16)
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
