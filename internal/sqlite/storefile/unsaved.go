package storefile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// A process whose flush of the log failed tells the others by a line in the turnstile's
// file, which is empty otherwise. The system need not tell them: one that opened the
// log later may be told that its own flush succeeded, though a part before it is lost.
//
// Lines are only added, so that a process that notes a failure and one that takes note of
// a copy never undo each other's: "!" is a flush that failed, and "=" with a number says
// that the log was copied whole behind so many of them.
const (
	failedLine = '!'
	savedLine  = '='
)

// MarkUnsaved notes that a flush of the log failed. Where the disk does not take the
// note either, only the caller knows.
func (f *Files) MarkUnsaved() error { return f.mark(string(failedLine)) }

// Unsaved is how many flushes of the log have failed so far, if one has since the log was
// last copied whole into the database, and 0 otherwise. Give it to MarkSaved. A file that
// cannot be read counts as one that failed.
func (f *Files) Unsaved() int64 {
	info, err := os.Stat(f.turn())
	if err != nil || info.Size() == 0 {
		return 0
	}
	text, err := os.ReadFile(f.turn())
	if err != nil {
		return 1
	}
	failed, saved := int64(0), int64(0)
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		switch line := lines.Bytes(); {
		case len(line) > 0 && line[0] == savedLine:
			// More than have failed are those of a file that was emptied meanwhile.
			if n, err := strconv.ParseInt(string(line[1:]), 10, 64); err == nil && n <= failed {
				saved = max(saved, n)
			}
		default: // former versions wrote no ends of lines
			failed += int64(bytes.Count(line, []byte{failedLine}))
		}
	}
	if failed == saved {
		return 0
	}
	return failed
}

// MarkSaved notes that the log was copied whole since so many flushes had failed.
func (f *Files) MarkSaved(failed int64) {
	if failed > 0 {
		_ = f.mark(fmt.Sprintf("%c%d", savedLine, failed)) // else the log is copied once more
	}
}

func (f *Files) mark(line string) error {
	file, err := os.OpenFile(f.turn(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(line + "\n")
	return errors.Join(err, file.Close())
}

func (f *Files) turn() string { return f.names[mainFile] + turnSuffix }
