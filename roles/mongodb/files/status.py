"""Print MongoDB's status on loopback as JSON. Usage: status.py PORT."""

import json
import sys

import pymongo
import pymongo.errors

UNAUTHORIZED = 13

with pymongo.MongoClient("127.0.0.1", int(sys.argv[1]), directConnection=True, serverSelectionTimeoutMS=2000) as client:
    hello = client.admin.command("isMaster")
    try:
        client.list_database_names()
        login_needed = False
    except pymongo.errors.OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
        login_needed = True
print(json.dumps({"login_needed": login_needed, "replica_set": hello.get("setName"), "primary": hello.get("primary")}))
