"""Exchange JSON messages and file descriptors over a Unix stream socket."""

import array
import json
import socket
import struct
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

LENGTH = struct.Struct("!I")
MAX_DESCRIPTORS = 2


class Message(NamedTuple):
    """JSON fields and file descriptors. The receiver closes the descriptors."""

    fields: Dict[str, Any]
    descriptors: List[int]


def send(connection: socket.socket, fields: Dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message. Raises OSError if the peer has closed the socket."""
    data = json.dumps(fields).encode()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    connection.sendmsg([LENGTH.pack(len(data))], rights)
    connection.sendall(data)


def receive(connection: socket.socket) -> Optional[Message]:
    """Receive one message; return None if the peer has closed the socket."""
    space = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
    flags = socket.MSG_WAITALL | socket.MSG_CMSG_CLOEXEC
    try:
        head, rights, _, _ = connection.recvmsg(LENGTH.size, space, flags)
        descriptors = array.array("i")
        for level, kind, data in rights:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(data)
        data = _exactly(connection, LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""
    except ConnectionError:
        return None
    return Message(json.loads(data.decode()), list(descriptors)) if data else None


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            return b""
        data += chunk
    return bytes(data)
