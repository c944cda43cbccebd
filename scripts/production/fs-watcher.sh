#!/bin/sh
# Prints each message to an agent as soon as it arrives, or runs a program for
# it:
#   fs-watcher.sh --token-file FILE [--exec PROGRAM] [--json]
# It does not need inotify-tools, because the sender wakes it.
exec "${BRIDGE:-bridge}" inbox --follow "$@"
