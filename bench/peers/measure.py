"""measure.py FILE COMMAND...: runs it; FILE gets {"seconds", "cpu_seconds", "peak_mib"}."""
import json
import os
import sys
import time

begin = time.monotonic()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w", encoding="utf-8") as f:
    json.dump({"seconds": time.monotonic() - begin, "peak_mib": usage.ru_maxrss / 1024,
               "cpu_seconds": usage.ru_utime + usage.ru_stime}, f)
sys.exit(os.waitstatus_to_exitcode(status) and 1)
