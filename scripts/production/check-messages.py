#!/bin/sh
# Prints an agent's new messages; they stay unread without --mark-read. A shell
# script under its old name: start it as a program, not with python.
#   check-messages.py --token-file FILE [--mark-read] [--json]
exec "${BRIDGE:-bridge}" check "$@"
