#!/usr/bin/python3
"""Hand rsyslog's messages to Graylog's GELF HTTP input; tell rsyslog that it has them only when it said so of each.

Usage: gelf_http.py HOST PORT NAME CA CERTIFICATE KEY REFUSED
NAME is what the server's certificate must bear; REFUSED a file for messages that Graylog will never take.

rsyslog (omprog with confirmMessages and useTransactions) writes BEGIN TRANSACTION, messages and COMMIT TRANSACTION, a
line each, and waits for an answer to each. Whatever is not OK to the last makes it keep all of them and come again.
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

TIMEOUT = 30  # seconds for a connection or an answer
PATIENCE = 60  # seconds after which rsyslog hears that a transaction does not get through; it asks again at once
LONGEST_PAUSE = 10  # seconds between two attempts
WINDOW = 64  # messages that are on the way without an answer
REMINDER = 3600  # seconds between two lines in the journal about trouble that lasts
REFUSED_BYTES = 32 * 1024 * 1024  # of the file for refused messages, and of the one before it, which is kept
# Statuses that refuse the message itself, so that a retry is useless. The reasons, and the same list, are in
# raycrafter_client/src/raycrafter_client/gelf_http.py.
REFUSED_STATUSES = (400, 413, 422)


class UnavailableError(Exception):
    """Graylog does not take messages now; its text says why."""


class Connection:
    """One connection to the input, on which requests follow one another without waiting for their answers."""

    def __init__(self, host: str, port: str, name: str, ca: str, certificate: str, key: str) -> None:
        # Made anew each time: certificates are renewed while this program runs.
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
        self.answers = self.socket.makefile("rb")

    def post(self, messages: list) -> None:
        """Send a request for each message."""
        self.socket.sendall(b"".join(b"%s%d\r\n\r\n%s" % (self.head, len(body), body) for body in messages))

    def status(self) -> int:
        """Return the status of the next answer. Raises UnavailableError where there is none."""
        line = self.answers.readline(1000)
        if not line.startswith(b"HTTP/1.1 ") or not line[9:12].isdigit():
            raise UnavailableError(f"it answered {line[:60]!r}" if line else "it closed the connection")
        length = 0
        while True:
            name, _, value = self.answers.readline(10000).partition(b":")
            if name in (b"\r\n", b""):
                break
            if name.lower() == b"content-length":
                length = int(value)
        if len(self.answers.read(length)) < length:
            raise UnavailableError("it closed the connection within an answer")
        return int(line[9:12])

    def close(self) -> None:
        """End it."""
        self.answers.close()
        self.socket.close()


class Sender:
    """The input as rsyslog sees it: it takes a whole transaction, or not yet."""

    def __init__(self, *target: str, refused: str) -> None:
        self.target = target
        self.refused = Path(refused)
        self.refused_count = 0
        self.connection = None
        self.trouble = ""
        self.told = 0.0
        # What Graylog has of a transaction that failed: rsyslog brings the same lines again.
        self.taken = set()
        self.window = WINDOW

    def deliver(self, messages: list) -> str:
        """Return OK when Graylog has every message, or, after PATIENCE, why not."""
        end, pause = time.monotonic() + PATIENCE, 0.5
        while True:
            reused = self.connection is not None
            try:
                self._send(messages)
            except (OSError, ValueError, UnavailableError) as error:
                self._disconnect()
                # One at a time, until it works again: then a broken connection tells which message broke it.
                self.window = 1
                if reused:  # it may have died of idleness
                    continue
                reason = f"Graylog takes no messages: {str(error) or type(error).__name__}".replace("\n", " ")
                self._tell(reason)
                if time.monotonic() > end:
                    return reason
                wait_for_end(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                break
        self.taken.clear()
        self.window = WINDOW
        self._tell("")
        return "OK"

    def _tell(self, trouble: str) -> None:
        """Write to the journal when trouble begins or ends, and every hour while it lasts: the host's logs wait."""
        now = time.monotonic()
        if bool(trouble) != bool(self.trouble) or (trouble and now >= self.told + REMINDER):
            syslog.syslog(syslog.LOG_WARNING, trouble or "Graylog takes messages again")
            self.told = now
        self.trouble = trouble

    def _send(self, messages: list) -> None:
        if self.connection is None:
            self.connection = Connection(*self.target)
        left = [message for message in messages if message not in self.taken]
        for start in range(0, len(left), self.window):
            window = left[start : start + self.window]
            try:
                self.connection.post(window)
            except (BrokenPipeError, ConnectionResetError):
                # It may have said why before it went.
                if self.window > 1:
                    raise
            for message in window:
                self._judge(message, self.connection.status())
                self.taken.add(message)

    def _judge(self, message: bytes, status: int) -> None:
        if status in REFUSED_STATUSES:
            self._put_aside(message, status)
        elif status != http.HTTPStatus.ACCEPTED:
            raise UnavailableError(f"it answered {status}")

    def _put_aside(self, message: bytes, status: int) -> None:
        with open(self.refused, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            os.fchmod(file.fileno(), 0o600)  # an earlier release's was readable by everybody
            file.write(message + b"\n")
            full = file.tell() >= REFUSED_BYTES
        if full:
            self.refused.replace(f"{self.refused}.1")
        self.refused_count += 1
        if self.refused_count == 1 or self.refused_count % 1000 == 0:
            syslog.syslog(
                syslog.LOG_ERR,
                f"Graylog refused {self.refused_count} messages for ever ({status}): they are in {self.refused}",
            )

    def _disconnect(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def wait_for_end(seconds: float) -> None:
    """Wait; end the program when rsyslog closes the pipe meanwhile."""
    hang_up = select.poll()
    hang_up.register(sys.stdin, 0)
    if hang_up.poll(seconds * 1000):
        sys.exit()


def say(text: str) -> None:
    """Answer rsyslog."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until rsyslog closes the pipe."""
    *target, refused = sys.argv[1:]
    # The end of the input ends it: systemd signals rsyslog and its children at once, in the middle of a transaction.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    syslog.openlog("raycrafter-gelf-http")
    sender, messages = Sender(*target, refused=refused), []
    say("OK")
    for line in sys.stdin.buffer:
        if line == b"BEGIN TRANSACTION\n":
            messages = []
            say("OK")
        elif line == b"COMMIT TRANSACTION\n":
            say(sender.deliver(messages))
        else:
            messages.append(line[:-1])
            say("DEFER_COMMIT")


if __name__ == "__main__":
    main()
