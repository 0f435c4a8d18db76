"""Write numbered log lines at a steady rate: write.py FILE RUN COUNT RATE ENOUGH.

RATE is in lines per second. The program writes COUNT lines, then continues until the file ENOUGH exists, at most for
LONGEST seconds, and prints the number of lines. A line is a JSON object, as the application writes it.
"""

import json
import sys
import time
from pathlib import Path

LONGEST = 900  # seconds

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
