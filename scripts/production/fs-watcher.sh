#!/bin/sh
# Prints each message to an agent the moment it comes, or runs a program for it:
#   fs-watcher.sh --token-file FILE [--exec PROGRAM] [--json]
# It needs no inotify-tools: the sender wakes it.
exec "${BRIDGE:-bridge}" inbox --follow "$@"
