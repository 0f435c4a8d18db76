"""Try logins of MongoDB on loopback. Usage: try_logins.py PORT <LOGINS

LOGINS is a JSON list of {"name", "password", "database"}. Prints {"writable": whether users can be made here, "taken":
for each login whether MongoDB takes it}. Passwords come in by the standard input because everybody can read a process's
arguments.
"""

import json
import sys

import pymongo
import pymongo.errors

REFUSED = 18


def connect(port: int, **login: str) -> pymongo.MongoClient:
    """Return a client of this very host, whatever it is a member of."""
    return pymongo.MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=2000, **login)


def takes(port: int, login: dict) -> bool:
    """Return whether MongoDB takes a login. Raises pymongo's errors for anything else that goes wrong."""
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
    """Try all of them and print the answer."""
    port = int(sys.argv[1])
    with connect(port) as client:
        writable = client.admin.command("isMaster")["ismaster"]
    print(json.dumps({"writable": writable, "taken": [takes(port, login) for login in json.load(sys.stdin)]}))


main()
