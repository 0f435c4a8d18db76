"""JSON messages with file descriptors over a stream socket between two processes of one host."""

import array
import json
import socket
import struct
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

LENGTH = struct.Struct("!I")
MAX_DESCRIPTORS = 2


class Message(NamedTuple):
    """The receiver owns the descriptors."""

    fields: Dict[str, Any]
    descriptors: List[int]


def send(connection: socket.socket, fields: Dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message. Raises OSError when the other side has closed."""
    data = json.dumps(fields).encode()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    connection.sendmsg([LENGTH.pack(len(data))], rights)
    connection.sendall(data)


def receive(connection: socket.socket) -> Optional[Message]:
    """Receive one message; return None when the other side has closed."""
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
