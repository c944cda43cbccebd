#!/bin/sh
# Misses silent workers, tells once, and gives their tasks to others:
#   watchdog-monitor.sh [--silent-after 300s] [--exec PROGRAM] [--webhook URL]
exec "${BRIDGE:-bridge}" watchdog "$@"
