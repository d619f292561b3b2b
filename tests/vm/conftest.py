# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/vm runs what tests/lang, tests/probes and tests/tools have, so it sees their modules."""
import sys
from pathlib import Path

for part in ("lang", "probes", "tools"):
    sys.path.append(str(Path(__file__).resolve().parent.parent / part))
