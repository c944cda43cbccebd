#!/usr/bin/env python3
"""Print an agent's new messages; they stay unread without --mark-read.

    check-messages.py --token-file FILE [--mark-read] [--json]
"""

import os
import sys

bridge = os.environ.get("BRIDGE", "bridge")
os.execvp(bridge, [bridge, "inbox", *sys.argv[1:]])
