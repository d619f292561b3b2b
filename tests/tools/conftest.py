# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of tools have the form of tests/lang and are run as those of tests/probes, so their modules are used."""
import sys
from pathlib import Path

for part in ("lang", "probes", "host"):
    sys.path.append(str(Path(__file__).resolve().parent.parent / part))
