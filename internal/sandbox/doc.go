// Package sandbox runs one approved command in a box: no network, no home, no
// write outside the workspace, a bounded amount of time, memory, processes
// and output, and nothing left running afterwards.
//
// A command is a [List] of argument vectors that the caller has built. The
// package connects the stages with pipes itself; no shell is started unless
// an argument vector names one.
//
// # How it runs
//
// The program executes itself again, twice. The *supervisor* stays outside of
// the box. It holds a pipe from the server: when the server ends, however it
// ends, the pipe closes and the supervisor kills the whole process tree. The
// *init* runs inside the box, finishes its confinement, checks that it holds,
// and only then starts the command. The program must therefore call [Helper]
// before anything else:
//
//	func Main() int {
//		if code, ok := sandbox.Helper(os.Args); ok {
//			return code
//		}
//		…
//	}
//
// # Backends
//
// [Bubblewrap] is the first choice: its own mount, PID, network, IPC, UTS and
// user namespaces, and a seccomp filter. The kernel ends every process in the
// box together with the box's first one, so that no daemon survives. The
// workspace is read-only unless [Options.Writable] is set, and then everything
// in the workspace is writable except the paths of [paths.Protected], at every
// depth.
//
// [Landlock] needs no namespaces, and is weaker and stricter at once:
//
//   - It only grants, it cannot take away. A folder that holds a protected
//     path or a covered file, at whatever depth, and the top of the workspace, is
//     not granted as a whole: its entries are, and in it no file can be created,
//     renamed or removed. .git is read-only as a whole, so that git reads and
//     cannot commit.
//   - Names, sizes, times and owners of any file can still be read with stat,
//     the target of a symbolic link with readlink, and a folder can be watched
//     with inotify: contents cannot.
//   - chmod, chown, setxattr and utime are not Landlock's business, so the
//     seccomp filter refuses them by path (changing a time reports success and
//     does nothing). By descriptor they stay possible.
//   - Signals to processes outside of the box, and abstract sockets, are held
//     by Landlock from ABI 6. Below, the filter refuses every signal except to
//     the sender's own process group.
//   - Unix sockets by path are not held before ABI 9, so the filter refuses to
//     create any socket without network, and any but internet sockets with it.
//     With network, TCP and UDP are not limited further: classic TCP rules of
//     Landlock can be walked around with multipath TCP.
//   - There is no PID namespace. The box shares the process table, though only
//     a few files of /proc can be opened, so that ps does not work. The
//     supervisor is a child subreaper, and stops and kills what descends from
//     it: a process that has left its group and its session is still found.
//     Someone who kills the supervisor itself with SIGKILL, which the box
//     cannot, also ends the box's init, but not what that has started.
//   - There is no private /tmp. HOME, elsewhere /tmp, is a new folder which is
//     removed after the run; /tmp itself and /dev/shm are out of reach, so
//     that a compiler or a pool of processes that insists on them fails.
//
// ABI 3 (Linux 6.2) is the least that is accepted: before, truncate reaches
// files outside of the workspace.
//
// [Docker] and [Podman] are used only when asked for by name, with a local
// image. [None] confines nothing: it exists for the operator's explicit
// "--unsandboxed", and still bounds time, output and the process tree.
//
// # Root
//
// A command never runs as root in a box. A supervisor that is root becomes
// the owner of the workspace, or nobody where that is root too. A workspace of
// root's is then shown to it through an ID-mapped mount, so that new files
// still belong to root; where the file system cannot do that, a writable run
// is refused. [None] does not change the user.
//
// # Limits of all this
//
// Writable runs in one workspace take turns. While one runs, an absent
// protected name is held by an empty folder (three files in .git), which a
// program outside can see; git does not show them, and the supervisor removes
// them. What one that is itself killed with SIGKILL leaves behind is removed by
// the next writable run.
//
// Memory and processes of the whole tree are counted four times a second, where
// no control group can be made. What a command can take in between is bounded by
// the limits of each process. Not counted then are anonymous files that travel in
// a socket pair, and System V segments that no process has attached.
//
// The kernel is shared, and so are the caches of the processor. The workspace
// itself is the command's to spoil: a build script, a Makefile or a test that
// it writes may run later outside of the box. A protected name that is new below
// the top cannot be refused: it is renamed when the command has ended
// ([Result.Held]), and until then a program outside could obey it. A program
// of the workspace that the repository's own configuration names (core.hooksPath,
// a filter, an alias) is read-only; one that a user's configuration names is not,
// nor one that is named through a symbolic link in the workspace. The repository
// of a linked worktree is shown where it names the worktree in turn
// ([FindLinked]). The .git folder of a workspace that is a part of a repository
// lies elsewhere and is not mounted. With [Options.Network] the command reaches every
// service that the machine can reach, those on its loopback interface too.
package sandbox
