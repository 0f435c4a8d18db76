"""Render the frames of one batch (``run``) or test connections (``selftest``)."""

import argparse
import contextlib
import json
import logging
import os
import re
import signal
import socket
import sys
from typing import List, Optional

from . import __version__, selftest, stop
from .api import Api
from .config import Config, ConfigError, load, native_id
from .event_sender import EventSender
from .event_spool import EventSpool
from .gelf import LINKS, SPOOL_BYTES, GelfHandler
from .gelf_spool import LogSpool
from .linux import UnsupportedError
from .reporter import Reporter
from .session import EXIT_UNUSABLE, Session
from .spawner import Spawner
from .tls import client_context

LOG_FLUSH_SECONDS = 4.0


def main(argv: Optional[List[str]] = None) -> int:
    """Parse the command line and run; return the exit code."""
    parser = argparse.ArgumentParser(prog="raycrafter_client", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    run = commands.add_parser("run", help="claim and render the frames of one batch")
    run.add_argument("--config", required=True, help="client.json of the batch")
    test = commands.add_parser("selftest", help="test the connections, print JSON, exit 0 when all work")
    test.add_argument("--url", required=True, help="address of the server, https://…")
    test.add_argument(
        "--ca", required=True, help="file with the CA certificate that both servers' certificates chain to"
    )
    test.add_argument("--gelf", help="HOST:PORT of the log server's GELF input")
    test.add_argument("--gelf-transport", choices=sorted(LINKS), default="tcp", help="transport of the GELF input")
    test.add_argument("--cert", help="file with the client certificate for the log server")
    test.add_argument("--key", help="file with the private key of --cert")
    options = parser.parse_args(argv)
    if options.command == "selftest":
        report = selftest.run(options.url, options.ca, options.gelf, options.cert, options.key, options.gelf_transport)
        print(json.dumps(report, indent=2))
        return 0 if report["ok"] else 1
    return _run(options.config)


def _run(path: str) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logger = logging.getLogger("raycrafter_client")
    logger.setLevel(logging.DEBUG)
    logging.getLogger().handlers[0].setLevel(logging.INFO)
    try:
        # The spawner forks: before threads and open files exist.
        spawner = Spawner()
    except (UnsupportedError, OSError) as error:
        logger.error("%s", error)
        return EXIT_UNUSABLE
    with contextlib.closing(spawner):
        return _serve(path, logger, spawner)


def _serve(path: str, logger: logging.Logger, spawner: Spawner) -> int:
    try:
        config = load(path)
        native = native_id(config.native_id_env, os.environ)
        # One directory per batch job: a batch submitted twice must not share spool files.
        directory = os.path.join(config.spool_dir, re.sub(r"[^\w.-]", "_", native))
        spool = EventSpool(directory)
        context = client_context(config.ca_file)
        handler = _gelf_handler(config, native, directory)
    except (ConfigError, OSError) as error:
        logger.error("%s", error)
        return EXIT_UNUSABLE
    if handler:
        logger.addHandler(handler)
    switch = stop.StopSwitch()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: switch.set(stop.TERMINATED))
    api = Api(config.url, config.token, context)
    session = Session(
        config,
        native,
        api,
        Reporter(spool),
        EventSender(api, native, spool),
        switch,
        spawner,
        lambda fields: handler.fields.update(fields) if handler else None,
    )
    try:
        return session.run()
    except Exception:
        logger.exception("the client failed")
        return EXIT_UNUSABLE
    finally:
        if handler:
            logger.removeHandler(handler)
            handler.close_within(LOG_FLUSH_SECONDS)


def _gelf_handler(config: Config, native: str, directory: str) -> Optional[GelfHandler]:
    gelf = config.gelf
    if gelf is None:
        return None
    fields = {"facility": "raycrafter-client", "job_id": config.job, "batch_id": config.batch, "native_id": native}
    link = LINKS[gelf.transport]
    return GelfHandler(
        # Read the files at every connection, so that a renewed certificate takes effect.
        lambda: link(gelf.host, gelf.port, client_context(gelf.ca_file, gelf.cert_file, gelf.key_file)),
        LogSpool(os.path.join(directory, "gelf.spool"), SPOOL_BYTES),
        socket.gethostname(),
        fields,
    )


if __name__ == "__main__":
    sys.exit(main())
