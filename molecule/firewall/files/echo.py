"""Listen on the given ports, over IPv4 and IPv6, and echo the received bytes."""

import socket
import sys
import threading


def answer(connection: socket.socket) -> None:
    while received := connection.recv(1024):
        connection.sendall(received)


def serve(port: int) -> None:
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        threading.Thread(target=answer, args=[listener.accept()[0]], daemon=True).start()


for number in sys.argv[1:]:
    threading.Thread(target=serve, args=[int(number)]).start()
