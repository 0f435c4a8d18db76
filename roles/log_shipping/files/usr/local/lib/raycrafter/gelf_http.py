#!/usr/bin/python3
"""Send rsyslog's messages to Graylog's GELF HTTP input and confirm delivery.

Usage: gelf_http.py HOST PORT NAME CA CERTIFICATE KEY REFUSED
NAME is the name in the server's certificate; REFUSED is a file for messages that Graylog refuses permanently.

rsyslog (omprog with confirmMessages and useTransactions) writes BEGIN TRANSACTION, messages and COMMIT TRANSACTION, one
line each, and waits for a reply to each line. If the last reply is not OK, rsyslog keeps all messages and retries.
Standard library only, Python 3.8 or later.
"""

import http
import os
import select
import signal
import socket
import ssl
import sys
import syslog
import time
from pathlib import Path

TIMEOUT = 30  # seconds for a connection or a response
DELIVERY_TIMEOUT = 60  # seconds until a failed transaction is reported to rsyslog, which retries at once
LONGEST_PAUSE = 10  # seconds between two attempts
WINDOW = 64  # requests in flight
REMINDER = 3600  # seconds between two reports of a persistent error in the journal
REFUSED_BYTES = 32 * 1024 * 1024  # size of the file for refused messages; one older file is kept
# Statuses for an invalid message: no retry can succeed.
REFUSALS = (http.HTTPStatus.BAD_REQUEST, http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, http.HTTPStatus.UNPROCESSABLE_ENTITY)


class UnavailableError(Exception):
    """Graylog does not accept messages now; the text is the reason."""


class Connection:
    """A connection to the input with pipelined requests."""

    def __init__(self, host: str, port: str, name: str, ca: str, certificate: str, key: str) -> None:
        # Read the files for each connection: certificates are renewed while this program runs.
        context = ssl.create_default_context(cafile=ca)
        context.load_cert_chain(certificate, key)
        plain = socket.create_connection((host, int(port)), timeout=TIMEOUT)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = context.wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise
        self.head = (
            b"POST /gelf HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: " % name.encode()
        )
        self.responses = self.socket.makefile("rb")

    def post(self, messages: list) -> None:
        """Send a request for each message."""
        self.socket.sendall(b"".join(b"%s%d\r\n\r\n%s" % (self.head, len(body), body) for body in messages))

    def status(self) -> int:
        """Return the status of the next response.

        Raises UnavailableError without a complete response.
        """
        line = self.responses.readline(1000)
        if not line.startswith(b"HTTP/1.1 ") or not line[9:12].isdigit():
            raise UnavailableError(f"invalid response {line[:60]!r}" if line else "connection closed")
        length = 0
        while True:
            name, _, value = self.responses.readline(10000).partition(b":")
            if name in (b"\r\n", b""):
                break
            if name.lower() == b"content-length":
                length = int(value)
        if len(self.responses.read(length)) < length:
            raise UnavailableError("connection closed within a response")
        return int(line[9:12])

    def close(self) -> None:
        """Close the connection."""
        self.responses.close()
        self.socket.close()


class Sender:
    """Deliver transactions completely, or report a failure to rsyslog."""

    def __init__(self, *target: str, refused: str) -> None:
        self.target = target
        self.refused = Path(refused)
        self.refused_count = 0
        self.connection = None
        self.error = ""
        self.reported = 0.0
        # Messages of a failed transaction that Graylog has accepted: rsyslog sends the same lines again.
        self.accepted = set()
        self.window = WINDOW

    def deliver(self, messages: list) -> str:
        """Deliver messages; return OK, or the reason after DELIVERY_TIMEOUT."""
        end, pause = time.monotonic() + DELIVERY_TIMEOUT, 0.5
        while True:
            reused = self.connection is not None
            try:
                self._send(messages)
            except (OSError, ValueError, UnavailableError) as error:
                self._disconnect()
                # Send one message at a time until a delivery succeeds, to find a message that breaks the connection.
                self.window = 1
                if reused:  # the server may have closed an idle connection
                    continue
                reason = f"Graylog accepts no messages: {str(error) or type(error).__name__}".replace("\n", " ")
                self._report(reason)
                if time.monotonic() > end:
                    return reason
                wait_for_end(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                break
        self.accepted.clear()
        self.window = WINDOW
        self._report("")
        return "OK"

    def _report(self, error: str) -> None:
        """Log an error when it begins or ends, and every REMINDER seconds in between."""
        now = time.monotonic()
        if bool(error) != bool(self.error) or (error and now >= self.reported + REMINDER):
            syslog.syslog(syslog.LOG_WARNING, error or "Graylog accepts messages again")
            self.reported = now
        self.error = error

    def _send(self, messages: list) -> None:
        if self.connection is None:
            self.connection = Connection(*self.target)
        left = [message for message in messages if message not in self.accepted]
        for start in range(0, len(left), self.window):
            window = left[start : start + self.window]
            try:
                self.connection.post(window)
            except (BrokenPipeError, ConnectionResetError):
                # The server may have sent a response before it closed the connection.
                if self.window > 1:
                    raise
            for message in window:
                self._check(message, self.connection.status())
                self.accepted.add(message)

    def _check(self, message: bytes, status: int) -> None:
        if status in REFUSALS:
            self._store_refused(message, status)
        elif status != http.HTTPStatus.ACCEPTED:
            raise UnavailableError(f"status {status}")

    def _store_refused(self, message: bytes, status: int) -> None:
        with open(self.refused, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            os.fchmod(file.fileno(), 0o600)  # an earlier release created the file readable for all users
            file.write(message + b"\n")
            full = file.tell() >= REFUSED_BYTES
        if full:
            self.refused.replace(f"{self.refused}.1")
        self.refused_count += 1
        if self.refused_count == 1 or self.refused_count % 1000 == 0:
            syslog.syslog(
                syslog.LOG_ERR,
                f"Graylog refused {self.refused_count} messages permanently (status {status}): see {self.refused}",
            )

    def _disconnect(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def wait_for_end(seconds: float) -> None:
    """Sleep; exit when rsyslog closes the pipe."""
    hang_up = select.poll()
    hang_up.register(sys.stdin, 0)
    if hang_up.poll(seconds * 1000):
        sys.exit()


def reply(text: str) -> None:
    """Write a reply to rsyslog."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Deliver messages until rsyslog closes the pipe."""
    *target, refused = sys.argv[1:]
    # Exit only at the end of the input: systemd signals rsyslog and its children at once, even in a transaction.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    syslog.openlog("raycrafter-gelf-http")
    sender, messages = Sender(*target, refused=refused), []
    reply("OK")
    for line in sys.stdin.buffer:
        if line == b"BEGIN TRANSACTION\n":
            messages = []
            reply("OK")
        elif line == b"COMMIT TRANSACTION\n":
            reply(sender.deliver(messages))
        else:
            messages.append(line[:-1])
            reply("DEFER_COMMIT")


if __name__ == "__main__":
    main()
