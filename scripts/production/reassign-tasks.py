#!/bin/sh
# Gives the tasks of silent workers to live ones, once, by hand. A shell script
# under its old name: start it as a program, not with python.
#   reassign-tasks.py [--dry-run] [--silent-after 300s] [CONVERSATION]
exec "${BRIDGE:-bridge}" reassign "$@"
