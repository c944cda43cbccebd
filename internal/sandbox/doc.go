// Package sandbox runs one approved command in a box: no network, no home
// folder, no writes outside the workspace, a limited amount of time, memory,
// processes and output, and no process left running afterwards.
//
// A command is a [List] of argument vectors that the caller has built. The
// package connects the stages with pipes itself; no shell is started unless
// an argument vector names one.
//
// # How it runs
//
// The program executes itself twice more. The supervisor stays outside of the
// box. It holds a pipe from the server: when the server ends, for whatever
// reason, the pipe closes and the supervisor kills the whole process tree. The
// init runs inside the box, completes its confinement, verifies it, and only
// then starts the command. The program must therefore call [Helper] before
// anything else:
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
// user namespaces, and a seccomp filter. When the box's first process ends, the
// kernel kills all others in the box, so that no daemon survives. The workspace
// is read-only unless [Options.Writable] is set. If it is set, everything in the
// workspace is writable except the names of [paths.Protected], at every depth.
//
// [Landlock] needs no namespaces. It is weaker in some respects and stricter in
// others:
//
//   - Landlock can grant access to a folder, but not exclude parts of it. The
//     top of the workspace, and any folder that contains a protected path or a
//     covered file at whatever depth, is therefore not granted as a whole: only
//     its entries are, and in the folder itself no file can be created, renamed
//     or removed. .git is read-only as a whole, so that git can read but not
//     commit.
//   - Names, sizes, times and owners of any file can still be read with stat,
//     and the targets of symbolic links with readlink, and folders can be
//     watched with inotify. The contents of files cannot be read.
//   - Landlock does not restrict chmod, chown, setxattr and utime, so the
//     seccomp filter refuses them by path (changing a time reports success and
//     does nothing). By descriptor they remain possible.
//   - Landlock restricts signals to processes outside of the box, and abstract
//     sockets, from ABI 6 on. With earlier versions, the filter refuses every
//     signal except to the sender's own process group.
//   - Landlock does not restrict Unix sockets by path before ABI 9. Without
//     network the filter therefore refuses to create any socket, and with it
//     any but internet sockets. With network, TCP and UDP are not limited
//     further: Landlock's TCP rules can be bypassed with multipath TCP.
//   - There is no PID namespace. The box shares the process table, but only a
//     few files of /proc can be opened, so that ps does not work. The supervisor
//     is a child subreaper that stops and kills its descendants, including
//     processes that have left their group and session. If somebody outside
//     kills the supervisor itself with SIGKILL, the box's init is killed too,
//     but not the processes that it has started.
//   - There is no private /tmp. HOME, which is /tmp with other backends, is a
//     new folder that is removed after the run. /tmp itself and /dev/shm are out
//     of reach, so that compilers or process pools that insist on them fail.
//
// The minimum is ABI 3 (Linux 6.2): with earlier versions, truncate can change
// files outside of the workspace.
//
// [Docker] and [Podman] are used only if requested by name, with a local image.
// [None] confines nothing. It exists for the operator's explicit
// "--unsandboxed", and still limits time, output and the process tree.
//
// # Root
//
// A command never runs as root in a box. If the supervisor is root, the command
// runs as the owner of the workspace, or as nobody if root owns that too. A
// workspace that belongs to root is then shown through an ID-mapped mount, so
// that new files in it belong to root as well. If the file system does not
// support that, a writable run is refused. [None] does not change the user.
//
// # Limits
//
// Writable runs in one workspace take turns. During a run, each absent protected
// name is held by an empty folder (three names in .git by a file). Programs
// outside can see these placeholders, though git does not show them. The
// supervisor removes them; if it is killed with SIGKILL, the next writable run
// does.
//
// If no control group can be made, the memory and the processes of the whole
// tree are counted four times a second. In between, a command can take as much
// as the limits of each process allow. Anonymous files in transit in a socket
// pair, and System V segments that no process has attached, are not counted then.
//
// The kernel is shared, and so are the caches of the processor. The command may
// put anything into the workspace: a build script, a Makefile or a test that it
// writes may run later outside of the box. New protected names below the top
// cannot be prevented: they are renamed when the command has ended
// ([Result.Held]), and until then a program outside could obey them. A program in
// the workspace that the repository's own configuration names (core.hooksPath, a
// filter, an alias) is read-only. One that the user's configuration names is not,
// nor one that is named through a symbolic link in the workspace. The repository
// of a linked worktree is shown if it names the worktree in turn ([FindLinked]).
// If the workspace is a subfolder of a repository, the .git folder lies outside
// of it and is not mounted. With [Options.Network] the command can reach every
// service that the machine can reach, including those on its loopback interface.
package sandbox
