#!/bin/sh
# Sends heartbeats for one agent until it is stopped:
#   BRIDGE_TOKEN=TOKEN keepalive-daemon.sh CONVERSATION
#   keepalive-daemon.sh --token-file FILE
# "CONVERSATION TOKEN" works too, but other users can see arguments in ps, so bridge
# warns.
exec "${BRIDGE:-bridge}" fleet keepalive "$@"
