#!/bin/sh
# Detects silent workers, alerts once, and reassigns their tasks:
#   watchdog-monitor.sh [--silent-after 300s] [--exec PROGRAM] [--webhook URL]
exec "${BRIDGE:-bridge}" fleet watchdog "$@"
