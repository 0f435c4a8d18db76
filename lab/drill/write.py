"""Write numbered log lines at a steady pace: write.py FILE RUN COUNT RATE ENOUGH, RATE in lines a second.

It writes COUNT lines, and more until the file ENOUGH is there, but none after LONGEST seconds; it prints how many.
They are what the application writes: an object on each line.
"""

import json
import sys
import time
from pathlib import Path

LONGEST = 900

file, run, count, rate, enough = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), Path(sys.argv[5])
text = "Frame 17 of job 4 was rendered in 231.5 seconds and waits for its transfer"
begin = time.monotonic()
number = 0
with Path(file).open("a", encoding="utf-8", buffering=1) as out:
    while number < count or (not enough.exists() and number < LONGEST * rate):
        line = {"message": text, "level": "INFO", "timestamp": time.time(), "drill": run, "number": number}
        out.write(json.dumps(line) + "\n")
        number += 1
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
print(number)
