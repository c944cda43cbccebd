package storefile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"example.org/bridge/internal/bridge"
)

// removed is the suffix of a running program's name after its file was removed or
// replaced (proc_pid_exe(5)).
const removed = " (deleted)"

// OtherPrograms returns the processes of this user, or of all users for root, that have
// the store at path open and run another program file than this process: an older one
// that has been replaced since, or one of another installation. It reads /proc and does
// not open the store.
func OtherPrograms(path string) (all []bridge.Holder) {
	store, err := os.Stat(path)
	if err != nil {
		return nil
	}
	own, err := os.Stat("/proc/self/exe")
	if err != nil {
		return nil
	}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range processes {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() || !hasOpen(dir, store) {
			continue
		}
		exe, err := os.Stat(dir + "/exe")
		if err != nil || os.SameFile(own, exe) || sameContent(own, exe, dir+"/exe") {
			continue
		}
		name, _ := os.Readlink(dir + "/exe")
		if before, gone := strings.CutSuffix(name, removed); gone {
			name = before + ", which has been replaced since"
		}
		_, stopped := program(pid)
		all = append(all, bridge.Holder{PID: pid, Program: name, Stopped: stopped})
	}
	return all
}

// hasOpen reports whether a process has a file open.
func hasOpen(dir string, file os.FileInfo) bool {
	open, _ := os.ReadDir(dir + "/fd") // empty if this user may not look
	for _, fd := range open {
		if info, err := os.Stat(dir + "/fd/" + fd.Name()); err == nil && os.SameFile(file, info) {
			return true
		}
	}
	return false
}

// sameContent reports whether a file is a copy of this process's program.
func sameContent(own, other os.FileInfo, otherName string) bool {
	if own.Size() != other.Size() {
		return false
	}
	same, err := equalFiles("/proc/self/exe", otherName)
	return err == nil && same
}

// equalFiles compares two files of the same size in pieces.
func equalFiles(one, two string) (same bool, err error) {
	a, err := os.Open(one)
	if err != nil {
		return false, err
	}
	defer func() { _ = a.Close() }()
	b, err := os.Open(two)
	if err != nil {
		return false, err
	}
	defer func() { _ = b.Close() }()
	pieces := [2][]byte{make([]byte, 1<<20), make([]byte, 1<<20)}
	for {
		n, errA := io.ReadFull(a, pieces[0])
		m, errB := io.ReadFull(b, pieces[1])
		if n != m || !bytes.Equal(pieces[0][:n], pieces[1][:m]) {
			return false, nil
		}
		if err := errors.Join(errA, errB); err != nil {
			ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
			return ended, nil
		}
	}
}
