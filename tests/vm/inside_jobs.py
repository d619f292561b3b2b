# SPDX-License-Identifier: GPL-2.0-or-later
"""What changes about a job when it runs within a virtual machine."""
from pathlib import Path

SLOWER = 15
# What has not ended by then stands still: a test run should not wait half an hour to say so.
LONGEST = 480


def inside(job):
    """Paths are those of the host, whose root is the machine's; the time is not."""
    program, *rest = job["command"]
    return {**job, "command": [str(Path(program).resolve()), *rest], "timeout": min(job["timeout"] * SLOWER, LONGEST)}
