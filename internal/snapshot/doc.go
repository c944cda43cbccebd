// Package snapshot keeps copies of a working tree in a folder of the bridge, and
// restores them.
//
// A snapshot holds every file and symbolic link of a workspace that git would not
// ignore, including untracked ones, byte for byte and with its mode. Nothing is
// stored in the workspace, and git is not used: no program is started, and nothing
// that a command could have written is trusted.
//
// # A hostile workspace
//
// Every path is opened one component at a time, without following symbolic links,
// without blocking (a named pipe in place of .gitignore or of git's index is
// skipped), and only if it is a regular file. Stored content is named by its
// SHA-256, which is checked when it is read again; content that does not match is
// not restored. Names that commands may not write are not written by a restore
// either, but reported.
//
// # What git ignores
//
// The package itself reads the .gitignore files from the repository's top down,
// .git/info/exclude, and git's index for files that are tracked although they are
// ignored. It does not read the user's own list of ignored files
// (core.excludesFile). A snapshot keeps the rules with which it was taken, and a
// restore uses them: a file that was ignored then is neither kept nor removed,
// whatever the rules are now.
//
// # Cost
//
// A file that was hashed is not read again while its inode, size, change time and
// modification time are unchanged, unless a program had it open for writing: such
// a program could change it through memory mapped earlier (mmap) without changing
// the times. A file system without leases (fcntl(2)), such as some network file
// systems, does not report writers. The metadata of every file is read for each
// snapshot; the names in a folder are read again only if the folder has changed
// (package dirstate). Files with equal content are stored once, and so are
// unchanged folders. They are not compressed. [Keeper.Tidy] removes old snapshots
// by age and size.
//
// # Limits
//
// Ignored files, empty folders, owners, times, extended attributes and special
// files are not kept. A repository within the workspace, such as a submodule, a
// file that is too large and a file that cannot be read are left out and listed in
// [Snapshot.Skipped].
package snapshot
