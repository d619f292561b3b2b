# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/vm runs what tests/lang and tests/probes have, so it sees their modules."""
import sys
from pathlib import Path

for part in ("lang", "probes"):
    sys.path.append(str(Path(__file__).resolve().parent.parent / part))
