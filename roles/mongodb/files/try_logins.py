"""Try MongoDB logins on loopback. Usage: try_logins.py PORT <LOGINS

LOGINS is a JSON list of {"name", "password", "database"}. Prints a JSON object: "writable" says whether users can be
created on this member, "taken" lists for each login whether MongoDB accepts it. Passwords are read from standard input,
because every user of the host can read a process's arguments.
"""

import json
import sys

import pymongo
import pymongo.errors

REFUSED = 18


def connect(port: int, **login: str) -> pymongo.MongoClient:
    """Return a client of this host only, even if it is in a replica set."""
    return pymongo.MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=2000, **login)


def accepts(port: int, login: dict) -> bool:
    """Return whether MongoDB accepts a login; other failures raise."""
    if not login["password"]:
        return False
    named = {"username": login["name"], "password": login["password"], "authSource": login["database"]}
    with connect(port, **named) as client:
        try:
            client.admin.command("ping")
        except pymongo.errors.OperationFailure as error:
            if error.code != REFUSED:
                raise
            return False
    return True


def main() -> None:
    """Try all logins and print the result."""
    port = int(sys.argv[1])
    with connect(port) as client:
        writable = client.admin.command("isMaster")["ismaster"]
    print(json.dumps({"writable": writable, "taken": [accepts(port, login) for login in json.load(sys.stdin)]}))


main()
