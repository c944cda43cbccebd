// Package snapshot keeps copies of a working tree in its own git repository,
// and puts one back.
//
// A snapshot is a commit without parents under
// refs/bridge/snapshots/LABEL/N. It holds every file and symbolic link of the
// workspace that git does not ignore, untracked ones too, byte for byte.
// Branches, the index, the stash and the reflog are not touched.
//
// # A hostile repository
//
// The repository's configuration, hooks and attributes are not trusted: they
// can name programs for git to run. Reading and writing the tree therefore
// happens in a private git folder, with the repository's objects but none of
// its configuration, so that no filter, text conversion, fsmonitor or hook is
// known there at all. The few commands that need the repository itself
// (finding it, listing and writing a reference) run with hooks, fsmonitor,
// pagers and transports overridden. Line endings and encodings are stored as
// they are.
//
// # Limits
//
// Ignored files, empty folders, owners, times and modes other than the
// executable bit are not kept. A repository within the workspace, such as a
// submodule, is left out, and named in [Snapshot.Skipped]. The snapshot is as
// safe as the repository: whoever can write .git can remove it. List reads
// what the references say now; a caller that recorded a snapshot's commit
// should restore that one, as the commit's name is a hash of what it holds.
package snapshot
