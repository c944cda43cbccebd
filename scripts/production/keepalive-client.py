#!/bin/sh
# Gives one heartbeat and prints the unread count. A shell script under its old
# name: start it as a program, not with python. Arguments as keepalive-daemon.sh.
exec "${BRIDGE:-bridge}" keepalive --once "$@"
