# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of probes have the form of tests/lang, so its modules are used."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lang"))
