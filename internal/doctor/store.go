package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/doorbell"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/view"
)

// File has functions that read the store's file.
type File struct {
	// Inspect returns the properties of the file.
	Inspect func(path string) (storefile.Inspection, error)
	// Unopened counts the texts that cannot be decrypted with a key, by table and
	// column.
	Unopened func(path string, key auth.Key) (map[string]int64, error)
}

// Store checks the store at path and the files that belong to it. exists and err are
// the result of looking for the file.
func (r *Report) Store(path string, exists bool, err error, of File) {
	r.checkFilesystem(path)
	switch {
	case err != nil:
		r.Add("store", Problem, "%s", withRemedy(err))
		return
	case !exists && storefile.CheckWritable(nearest(path)) != nil:
		r.Add("store", Problem, "there is none at %s, and it cannot be created: this user may not write to %s: set HOME to your own home folder, or name a store with --db", path, nearest(path))
		return
	case !exists:
		r.Add("store", Note, "there is none yet at %s; the first `bridge serve` makes it", path)
		return
	}
	r.checkPermissions(path)
	r.checkDatabase(path, of)
}

// Thresholds for the warnings about free disk space, in bytes.
const (
	littleSpace = 100 << 20
	noSpace     = 10 << 20
)

// nearest returns the closest existing folder above a file.
func nearest(path string) string {
	dir := filepath.Dir(path)
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// checkFilesystem checks the folder of the store, or the closest existing folder above
// it.
func (r *Report) checkFilesystem(path string) {
	dir := nearest(path)
	if name := storefile.NetworkFilesystem(dir); name != "" {
		r.Add("filesystem", Problem, "%s is on a network filesystem (%s), where SQLite's locks do not hold: choose a local folder with --db", dir, name)
	} else {
		r.Add("filesystem", OK, "local")
	}
	free, err := storefile.FreeSpace(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		r.Add("disk space", Note, "cannot be determined on this platform")
	case err != nil:
		r.Add("disk space", Warning, "%s", view.Line(err))
	case free < noSpace:
		r.Add("disk space", Problem, "%s free: make room", view.Bytes(free))
	case free < littleSpace:
		r.Add("disk space", Warning, "%s free: make room", view.Bytes(free))
	default:
		r.Add("disk space", OK, "%s free", view.Bytes(free))
	}
}

// checkPermissions checks the folder and all files of a store.
func (r *Report) checkPermissions(path string) {
	fine := true
	for _, file := range []string{filepath.Dir(path), path, path + "-wal", path + "-shm", path + "-queue", path + "-turn", path + "-reserve", keyfile.Beside(path), doorbell.Beside(path)} {
		if err := storefile.CheckPrivate(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.Add("permissions", Problem, "%s", view.Line(err))
			fine = false
			continue // a file of another user need not be writable
		}
		if err := storefile.CheckWritable(file); err != nil && file != keyfile.Beside(path) {
			r.Add("permissions", Problem, "%s", view.Line(err))
			fine = false
		}
	}
	switch dir := filepath.Dir(path); {
	case !fine:
	case listable(dir):
		r.Add("permissions", Warning, "others can list the folder %s, though not read what is in it; run: chmod go-rx '%s'", dir, dir)
	default:
		r.Add("permissions", OK, "only you have access to the store")
	}
}

// listable reports whether other users may list or enter the folder.
func listable(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o055 != 0
}

func (r *Report) checkDatabase(path string, of File) {
	found, err := of.Inspect(path)
	if err != nil {
		r.Add("store", Problem, "%s", withRemedy(err))
		if sealed(found) {
			r.uncounted("the store cannot be read")
		}
		return
	}
	r.Add("store", OK, "%s, %s", path, view.Bytes(uint64(found.Bytes)))
	r.checkSchema(found)
	if found.SchemaVersion == 0 {
		return
	}
	r.Encryption(keyfile.Beside(path), found.Encrypted, found.Unfinished)
	if found.WAL {
		r.Add("journal", OK, "write-ahead log")
	} else {
		r.Add("journal", Problem, "not a write-ahead log: something other than bridge has changed the store")
	}
	r.checkLog(found)
	r.checkPrograms(storefile.OtherPrograms(path))
	if len(found.Problems) > 0 {
		r.Add("integrity", Problem, "%s: stop all bridge processes and keep a copy", strings.Join(found.Problems, "; "))
	} else {
		r.Add("integrity", OK, "the quick check found no problems")
	}
	key, fits := r.checkKey(path, found)
	if found.Limits != nil {
		r.Limits(*found.Limits)
	}
	switch {
	case !sealed(found):
	case !fits:
		r.uncounted("they can only be opened with the store's key")
	case found.SchemaVersion < found.KnownVersion:
		r.uncounted("the store must be migrated first")
	default:
		r.Unopened(of.Unopened(path, key))
	}
}

// checkSchema compares the store's schema version with the newest one that this program
// supports.
func (r *Report) checkSchema(found storefile.Inspection) {
	switch latest := found.KnownVersion; {
	case found.SchemaVersion == 0:
		r.Add("schema", Note, "the store is empty; the next `bridge serve` fills it")
	case found.SchemaVersion < latest:
		r.Add("schema", Note, "version %d of %d; the next `bridge serve` migrates it", found.SchemaVersion, latest)
	default:
		r.Add("schema", OK, "version %d", found.SchemaVersion)
	}
}

// sealed reports whether some texts may be encrypted.
func sealed(found storefile.Inspection) bool { return found.Encrypted || found.Unfinished }

// uncounted reports why texts that cannot be decrypted were not counted.
func (r *Report) uncounted(why string) {
	r.Add("texts", Note, "those that do not open were not counted: %s", why)
}

// Encryption reports whether texts are encrypted, and with which key. It reports
// nothing for a store in clear.
func (r *Report) Encryption(key string, encrypted, unfinished bool) {
	switch {
	case unfinished && encrypted:
		r.Add("encryption", Note, "texts are being encrypted, or that was interrupted: `bridge store encrypt` completes it")
	case unfinished:
		r.Add("encryption", Note, "texts are being decrypted, or that was interrupted: `bridge store decrypt` completes it")
	case encrypted:
		r.Add("encryption", OK, "texts are encrypted at rest: they cannot be read without %s", filepath.Base(key))
	}
}

// Unopened reports the number of texts that cannot be decrypted, by table and column.
func (r *Report) Unopened(found map[string]int64, err error) {
	if err != nil {
		r.Add("texts", Problem, "%s", withRemedy(err))
		return
	}
	var total int64
	var where []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		total += found[name]
		where = append(where, fmt.Sprintf("%s %d", name, found[name]))
	}
	if total > 0 {
		r.Add("texts", Problem, "%s not open (%s): they were changed, moved, or written in clear; restore them from an older backup", counted(total), strings.Join(where, ", "))
	}
}

func counted(n int64) string {
	if n == 1 {
		return "1 text does"
	}
	return fmt.Sprintf("%d texts do", n)
}

// largeLog is four times the size that the log reaches while no reader holds it.
const largeLog = 16 << 20

func (r *Report) checkLog(found storefile.Inspection) {
	if found.LogBytes < largeLog {
		return
	}
	holders := "no process is known to use it: the next changes, or `bridge cleanup`, will shrink it"
	if len(found.LogReaders) > 0 {
		names := make([]string, len(found.LogReaders))
		for i, h := range found.LogReaders {
			names[i] = h.String()
		}
		holders = "it cannot shrink while these read from it: " + strings.Join(names, "; ")
	}
	r.Add("log", Warning, "the write-ahead log has grown to %s; %s", view.Bytes(uint64(found.LogBytes)), holders)
}

// checkPrograms reports processes that run a different program than this one. They keep
// working until this program migrates the store, and are refused after that.
func (r *Report) checkPrograms(others []bridge.Holder) {
	if len(others) == 0 {
		return
	}
	names := make([]string, len(others))
	for i, h := range others {
		names[i] = h.String()
	}
	r.Add("processes", Warning, "these processes use the store with a different bridge program: %s: restart their clients, or start all with the same program",
		strings.Join(names, "; "))
}

// withRemedy returns an error's text with advice for the operator.
func withRemedy(err error) string {
	row, _ := advice.Of(err)
	return strings.TrimSuffix(view.Line(err)+": "+row.Operator, ": ")
}

// checkKey returns the store's key; ok is false if it is missing or does not match.
func (r *Report) checkKey(path string, found storefile.Inspection) (key auth.Key, ok bool) {
	key, err := keyfile.Load(keyfile.Beside(path))
	switch {
	case err != nil:
		r.Add("key", Problem, "%s", withRemedy(err))
	case !found.FitsKey(key):
		r.Add("key", Problem, "%s does not belong to the store: put back the key that was made with it", keyfile.Beside(path))
	default:
		r.Add("key", OK, "it belongs to the store")
		r.Ends(found.MovedEnds(key))
		return key, true
	}
	return key, false
}

// namedEnds is the maximum number of conversations named in one line.
const namedEnds = 3

// Ends reports conversations whose end time was changed in the store by something other
// than bridge.
func (r *Report) Ends(moved []string) {
	if len(moved) == 0 {
		return
	}
	names := strings.Join(moved[:min(len(moved), namedEnds)], ", ")
	if more := len(moved) - namedEnds; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	r.Add("ends", Problem, "something other than bridge has changed the end of these conversations: %s: their sessions are refused until `bridge extend` sets a new end; find out what writes into the store", names)
}
