// Package systemtool finds the programs that the bridge itself starts: bwrap,
// git, docker, podman, a shell.
//
// The PATH of the environment decides nothing here. A command that an agent
// runs can write into a folder of that PATH (the bin of an activated virtual
// environment, node_modules/.bin), and the bridge would then start the
// command's program outside of every sandbox, with its key in reach. So a tool
// is looked for in the system's own folders, and is taken only if nobody but
// root can have put it there: the program, every folder on the way to it and
// every link that leads to it belong to root, and no group and no others may
// write them.
package systemtool
