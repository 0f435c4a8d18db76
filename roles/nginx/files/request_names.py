"""Request every site of this host under each of its names.

Argument: the file with the trusted CA. Standard input: a JSON list of {name, port, path, status}. status lists the
expected status codes. Prints a JSON list with a sentence for each request that failed. The connection goes to this host
whatever the name resolves to, because a public name often resolves to another address here.
"""

import http.client
import json
import socket
import ssl
import sys


def status_of(name: str, port: int, path: str, context: ssl.SSLContext) -> int:
    """Return the status of a GET request. Raises OSError and HTTPException."""
    connection = http.client.HTTPSConnection(name, port, timeout=30)
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sock = context.wrap_socket(plain, server_hostname=name)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def faults(requests: list, context: ssl.SSLContext) -> list:
    """Return a sentence for each request that failed."""
    found = []
    for request in requests:
        where = "https://{name}:{port}{path}".format(**request)
        try:
            status = status_of(request["name"], request["port"], request["path"], context)
        except ssl.SSLCertVerificationError as error:
            found.append(f"{where}: the certificate is not valid: {error.verify_message}")
        except (OSError, http.client.HTTPException) as error:
            found.append(f"{where}: {error}")
        else:
            if status not in request["status"]:
                found.append(f"{where}: answered {status}")
    return found


if __name__ == "__main__":
    print(json.dumps(faults(json.load(sys.stdin), ssl.create_default_context(cafile=sys.argv[1]))))
