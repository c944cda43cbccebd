package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// family remembers the descendants of a server by process id and start time, so that a
// reused id is not mistaken for one of them.
type family struct{ seen map[int]string }

// look adds the current descendants of root.
func (f *family) look(root int) {
	if f.seen == nil {
		f.seen = map[int]string{}
	}
	all := processes()
	for grew := true; grew; {
		grew = false
		for pid, p := range all {
			if _, known := f.seen[pid]; known || pid == root {
				continue
			}
			if _, below := f.seen[p.parent]; below || p.parent == root {
				f.seen[pid], grew = p.start, true
			}
		}
	}
}

// alive returns the remembered or marked processes that are still running.
func (f *family) alive(mark string) (pids []int) {
	for pid, p := range processes() {
		start, known := f.seen[pid]
		if p.state != "Z" && p.state != "X" && (known && start == p.start || marked(pid, mark)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

type processStat struct {
	parent       int
	state, start string
}

// processes reads /proc. Processes that end in the meantime are left out.
func processes() map[int]processStat {
	all := map[int]processStat{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return all
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		// The name of the program is in parentheses and may contain any character.
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if len(fields) < 20 {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		all[pid] = processStat{parent: parent, state: fields[0], start: fields[19]}
	}
	return all
}

func marked(pid int, mark string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	wanted := []byte(markName + "=" + mark)
	for variable := range bytes.SplitSeq(env, []byte{0}) {
		if bytes.Equal(variable, wanted) {
			return true
		}
	}
	return false
}

// peakResident returns the peak resident memory of a process in bytes, or 0 if it is not
// known.
func peakResident(pid int) int64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
