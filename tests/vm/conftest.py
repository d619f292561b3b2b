# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/vm runs what tests/lang has, so it sees its modules."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lang"))
