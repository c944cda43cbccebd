// Package systemtool finds the programs that the bridge itself starts: bwrap,
// git, docker, podman, a shell.
//
// It does not use the PATH of the environment. A command run by an agent may be
// able to write to a folder in that PATH (the bin folder of an activated
// virtual environment, node_modules/.bin); the bridge would then start the
// command's program outside every sandbox, with access to its key. So a tool is
// searched for only in the system's own folders, and is accepted only if nobody
// but root can have put it there: the program, every folder on the way to it
// and every link that leads to it must belong to root and must not be writable
// by any group or by others.
package systemtool
