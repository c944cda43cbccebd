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
// file, which is otherwise empty. The system need not tell them: a process that opened
// the log after the failure may see its own flush succeed although an earlier part is
// lost.
//
// Lines are only appended, so that a process that records a failure and one that
// records a copy never undo each other's work. "!" is a failed flush. "=" followed by a
// number says that the log was copied whole after so many failures.
const (
	failedLine = '!'
	savedLine  = '='
)

// MarkUnsaved records that a flush of the log failed. If the record cannot be written
// either, only the caller knows.
func (f *Files) MarkUnsaved() error { return f.mark(string(failedLine)) }

// Unsaved returns how many flushes of the log have failed so far, or 0 if the log has
// been copied whole into the database since the last failure. Pass the result to
// MarkSaved. A file that cannot be read counts as one failure.
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
			// A number above the failures counted dates from before the file was
			// truncated.
			if n, err := strconv.ParseInt(string(line[1:]), 10, 64); err == nil && n <= failed {
				saved = max(saved, n)
			}
		default: // older versions wrote no line ends
			failed += int64(bytes.Count(line, []byte{failedLine}))
		}
	}
	if failed == saved {
		return 0
	}
	return failed
}

// MarkSaved records that the log was copied whole after so many flushes had failed.
func (f *Files) MarkSaved(failed int64) {
	if failed > 0 {
		_ = f.mark(fmt.Sprintf("%c%d", savedLine, failed)) // if this fails, the log is copied once more
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
