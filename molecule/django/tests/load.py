"""Send requests without a pause while the web processes are replaced.

Run on a web host as root. Prints JSON: `answers` (number of correct answers) and `wrong` (all other outcomes).
"""

import http.client
import json
import pathlib
import socket
import subprocess
import threading
import time

MASTER = subprocess.check_output(["supervisorctl", "pid", "raycrafter-web"], text=True).strip()
CHILDREN = pathlib.Path(f"/proc/{MASTER}/task/{MASTER}/children")
HEADERS = {"Host": "render.example.org", "X-Forwarded-Proto": "https"}
answers, wrong, end = [], [], threading.Event()


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect("/run/raycrafter/gunicorn.sock")


def ask():
    while not end.is_set():
        connection = Connection("localhost")
        try:
            connection.request("GET", "/login/", headers=HEADERS)
            (answers if connection.getresponse().status == 200 else wrong).append("an answer other than 200")
        except (OSError, http.client.HTTPException) as error:
            wrong.append(repr(error))
        finally:
            connection.close()


askers = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
for asker in askers:
    asker.start()
old = set(CHILDREN.read_text().split())
subprocess.run(["supervisorctl", "signal", "HUP", "raycrafter-web"], check=True, stdout=subprocess.DEVNULL)
limit = time.monotonic() + 120
while old & set(CHILDREN.read_text().split()) and time.monotonic() < limit:
    time.sleep(0.1)
if old & set(CHILDREN.read_text().split()):
    wrong.append("the old processes are still there")
asked = len(answers)
while len(answers) < asked + 20 and time.monotonic() < limit:
    time.sleep(0.1)
end.set()
for asker in askers:
    asker.join()
print(json.dumps({"answers": len(answers), "wrong": wrong}))
