"""Send one message to an input of Graylog, and print the response or the error.

Usage: send.py ADDRESS PORT MANNER MARK
MANNER: own (the host's certificate), stranger (/run/stranger.*), none (no certificate), old (TLS 1.1), plain (no TLS).
The message has the field `drill` with the value MARK, by which Graylog's search shows whether the message has arrived.
"""

import json
import socket
import ssl
import sys

TLS = "/etc/raycrafter/tls"
CERTIFICATES = {"own": f"{TLS}/host", "old": f"{TLS}/host", "stranger": "/run/stranger"}

address, port, manner, mark = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
fields = {"version": "1.1", "host": "drill", "short_message": f"A {manner} client", "_drill": mark}
message = json.dumps(fields).encode()
head = f"POST /gelf HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(message)}\r\n\r\n".encode()

context = ssl.create_default_context(cafile=f"{TLS}/ca.crt")
context.check_hostname = False
if manner == "old":
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
if manner in CERTIFICATES:
    context.load_cert_chain(f"{CERTIFICATES[manner]}.crt", f"{CERTIFICATES[manner]}.key")

try:
    with socket.create_connection((address, port), timeout=60) as link:
        link = link if manner == "plain" else context.wrap_socket(link)
        link.sendall(head + message if port == 12203 else message + b"\0")
        if port != 12203:
            link.settimeout(5)  # GELF over TCP has no response, only refusals
        print(link.recv(4096))
except OSError as error:
    print(error)
