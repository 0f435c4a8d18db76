"""Write numbered log lines at a steady pace: write.py FILE RUN COUNT RATE, RATE in lines a second.

They are what the application writes: an object on each line.
"""

import json
import sys
import time
from pathlib import Path

file, run, count, rate = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
text = "Frame 17 of job 4 was rendered in 231.5 seconds and waits for its transfer"
begin = time.monotonic()
with Path(file).open("a", encoding="utf-8", buffering=1) as out:
    for number in range(count):
        line = {"message": text, "level": "INFO", "timestamp": time.time(), "drill": run, "number": number}
        out.write(json.dumps(line) + "\n")
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
