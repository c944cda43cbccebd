#!/bin/sh
# Sends heartbeats for one agent until it is told to end:
#   BRIDGE_TOKEN=TOKEN keepalive-daemon.sh CONVERSATION
#   keepalive-daemon.sh --token-file FILE
# "CONVERSATION TOKEN" works too, but others can read arguments in ps: bridge warns.
exec "${BRIDGE:-bridge}" fleet keepalive "$@"
