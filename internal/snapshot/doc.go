// Package snapshot keeps copies of a working tree in a folder of the bridge's
// own, and puts one back.
//
// A snapshot holds every file and symbolic link of a workspace that git would
// not ignore, untracked ones too, byte for byte and with its mode. Nothing of it
// is in the workspace, and git is not asked: no program is started, and nothing
// that a command could have written is trusted.
//
// # A hostile workspace
//
// Every path is opened one component after the other, without following a
// symbolic link, without blocking (a named pipe in place of .gitignore or
// of git's index is passed over) and only if it is a regular file. What is kept
// is named by its SHA-256, and that is compared when it is read again: what
// does not fit is not restored. Names that no command may write are not written
// by a restore either, but named.
//
// # What git ignores
//
// The .gitignore files on the way from the repository's top, .git/info/exclude,
// and git's index for what is tracked although it is ignored, are read here.
// The user's own list of ignored files (core.excludesFile) is not. A snapshot
// keeps the rules that it was taken by, and a restore uses them: a file that was
// ignored then is neither kept nor removed, whatever the rules are now.
//
// # Cost
//
// What was hashed is not read again as long as inode, size, time of change and
// time of modification are the same, and no program had it open for writing:
// through memory that was mapped before (mmap) it could be changed without a new
// time. A file system without leases (fcntl(2)), such as some network ones, does
// not tell who writes. Every file is looked at for each snapshot; the names in a
// folder are read again only when the folder has changed (package dirstate). Files
// with equal content are kept once,
// and so are folders that have not changed. They are not compressed. [Keeper.Tidy]
// removes old snapshots by age and size.
//
// # Limits
//
// Ignored files, empty folders, owners, times, extended attributes and special
// files are not kept. A repository within the workspace, such as a submodule, a
// file that is too large and one that cannot be read are left out, and named in
// [Snapshot.Skipped].
package snapshot
