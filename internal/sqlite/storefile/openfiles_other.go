//go:build !unix

package storefile

import (
	"os"

	"example.org/bridge/internal/bridge"
)

// fileID tells one file from another, whatever its name.
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

// logIndex is not looked at: this platform lets nobody remove or overwrite a
// file that is open.
type logIndex struct{}

// mainHead is not looked at either.
type mainHead struct{}

func openMain(string) (*mainHead, error) { return nil, nil }

func (*mainHead) release() error { return nil }

func (*mainHead) changed() bool { return false }

// openLog opens the log to flush it, which needs the right to write.
func openLog(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDWR, 0) }

func openIndex(string) (*logIndex, error) { return nil, nil }

func (*logIndex) release() error { return nil }

func (*logIndex) count(int) {}

func (*logIndex) matches(*os.File) bool { return true }

func (*logIndex) wentBack(*os.File) bool { return false }

func (*logIndex) pages() int64 { return 0 }

// CheckRunning finds nothing: see logIndex.
func CheckRunning(string) (release func(), err error) { return func() {}, nil }

const writeByte = 120

func (*logIndex) holder(int64) (pid int, held bool) { return 0, false }

// Running lets no store through that a log was left of: whether anybody has it
// open is not known here, and where somebody has, it is whole.
func Running(string) bool { return true }

// LogReaders knows no other processes on this platform.
func LogReaders(string) []bridge.Holder { return nil }
