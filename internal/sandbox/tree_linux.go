package sandbox

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// proc is one process, as read from /proc.
type proc struct {
	pid, parent int
	start       uint64 // start time, which distinguishes it from a later process with the same number
	threads     int
}

// descendants returns the descendants of the calling process, which must be a
// child subreaper: a process then stays in the tree even if it leaves its group,
// session or parent.
func descendants() []proc {
	all := processes()
	mine := map[int]bool{os.Getpid(): true}
	var found []proc
	for grew := true; grew; {
		grew = false
		for _, p := range all {
			if !mine[p.pid] && mine[p.parent] {
				mine[p.pid] = true
				found = append(found, p)
				grew = true
			}
		}
	}
	return found
}

func processes() []proc {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var all []proc
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			if p, ok := readProc(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// readProc reads /proc/PID/stat. The process name in it may contain anything, so
// the fields are counted from the last parenthesis.
func readProc(pid int) (proc, bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, false
	}
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 20 {
		return proc{}, false
	}
	parent, _ := strconv.Atoi(string(fields[1]))
	threads, _ := strconv.Atoi(string(fields[17]))
	start, _ := strconv.ParseUint(string(fields[19]), 10, 64)
	return proc{pid: pid, parent: parent, threads: threads, start: start}, true
}

// signal sends a signal to this process, but not to a later one with the same
// number.
func (p proc) signal(sig unix.Signal) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return
	}
	defer func() { _ = unix.Close(fd) }()
	if now, ok := readProc(p.pid); ok && now.start == p.start {
		_ = unix.PidfdSendSignal(fd, sig, nil, 0)
	}
}

// freezeRounds is how often killTree looks for new processes before it kills
// those that it found.
const freezeRounds = 100

// killTree kills all descendants of the calling process, which must reap them in
// the meantime and close gone when it has no child left. It first stops processes
// until it finds no new ones, so that a fork bomb cannot outrun it, and then
// kills them.
func killTree(gone <-chan struct{}) {
	for {
		stopped := make(map[int]uint64)
		for range freezeRounds {
			grew := false
			for _, p := range descendants() {
				if stopped[p.pid] != p.start {
					stopped[p.pid] = p.start
					p.signal(unix.SIGSTOP)
					grew = true
				}
			}
			if !grew {
				break
			}
		}
		for _, p := range descendants() {
			p.signal(unix.SIGKILL)
		}
		select {
		case <-gone:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// usage returns the number of threads of the processes, and their resident
// anonymous and shared memory in bytes.
func usage(procs []proc) (threads int, memory int64) {
	for _, p := range procs {
		threads += p.threads
		memory += residentBytes(p.pid)
	}
	return threads, memory
}

func residentBytes(pid int) int64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	return 1024 * (statusField(data, "RssAnon:") + statusField(data, "RssShmem:"))
}

// statusField returns the first number after a name in /proc/PID/status.
func statusField(status []byte, name string) int64 {
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			if f := bytes.Fields(rest); len(f) > 0 {
				n, _ := strconv.ParseInt(string(f[0]), 10, 64)
				return n
			}
		}
	}
	return 0
}

// tasksOf counts the processes and threads of a user, as RLIMIT_NPROC does.
func tasksOf(uid uint32) uint64 {
	var n uint64
	for _, p := range processes() {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/status")
		if err == nil && statusField(data, "Uid:") == int64(uid) {
			n += uint64(max(p.threads, 1)) // #nosec G115 -- positive
		}
	}
	return n
}
