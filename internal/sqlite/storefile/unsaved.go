package storefile

import (
	"errors"
	"os"
)

// A process whose flush of the log failed tells the others by bytes in the turnstile's
// file, which is empty otherwise. The system need not tell them: one that opened the
// log later may be told that its own flush succeeded, though a part before it is lost.

// MarkUnsaved notes that a flush of the log failed. Where the disk does not take the
// note either, only the caller knows.
func (f *Files) MarkUnsaved() error {
	mark, err := os.OpenFile(f.turn(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = mark.Write([]byte{'!'})
	return errors.Join(err, mark.Close())
}

// Unsaved is how many flushes of the log have failed since it was last copied whole
// into the database. Give it to MarkSaved.
func (f *Files) Unsaved() int64 {
	info, err := os.Stat(f.turn())
	if err != nil {
		return 0
	}
	return info.Size()
}

// MarkSaved takes the mark away when the log was copied whole, unless more flushes than
// these have failed since then.
func (f *Files) MarkSaved(failed int64) {
	if failed > 0 && f.Unsaved() == failed {
		_ = os.Truncate(f.turn(), 0) // else the log is copied once more
	}
}

func (f *Files) turn() string { return f.names[mainFile] + turnSuffix }
