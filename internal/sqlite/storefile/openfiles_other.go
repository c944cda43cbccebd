//go:build !unix

package storefile

import (
	"os"

	"example.org/bridge/internal/bridge"
)

// fileID identifies a file independently of its name.
type fileID struct {
	info os.FileInfo
	size int64
}

func identifyFile(name string) (fileID, error) {
	info, err := os.Stat(name)
	if err != nil {
		return fileID{}, err
	}
	return fileID{info, info.Size()}, nil
}

func (f fileID) same(other fileID) bool { return os.SameFile(f.info, other.info) }

// logIndex is not used: on this platform nobody can remove or overwrite an open file.
type logIndex struct{}

// mainHead is not used either.
type mainHead struct{}

func openMain(string) (*mainHead, error) { return nil, nil }

func (*mainHead) release() error { return nil }

func (*mainHead) changed() bool { return false }

// openLog opens the log for flushing, which requires write access.
func openLog(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDWR, 0) }

func openIndex(string) (*logIndex, error) { return nil, nil }

func (*logIndex) release() error { return nil }

func (*logIndex) count(int) {}

func (*logIndex) matches(*os.File) bool { return true }

func (*logIndex) wentBack(*os.File) bool { return false }

func (*logIndex) pages() int64 { return 0 }

// CheckRunning does nothing: see logIndex.
func CheckRunning(string) (release func(), err error) { return func() {}, nil }

const writeByte = 120

func (*logIndex) holder(int64) (pid int, held bool) { return 0, false }

// Running always returns true, so that a left-over log is not checked. On this platform
// it is not known whether a process has the store open, and if one has, the log is
// intact.
func Running(string) bool { return true }

// LogReaders returns nothing, because other processes are not examined on this
// platform.
func LogReaders(string) []bridge.Holder { return nil }
