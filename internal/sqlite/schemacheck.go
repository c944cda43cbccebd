package sqlite

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"modernc.org/sqlite"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

// digests holds a line for each version of the schema: the digest of all that
// its scripts make. A line that is not current costs time, and nothing else.
//
//go:embed schema/digests.txt
var digests embed.FS

// objects are the tables, indexes, triggers and views of a database by kind and
// name, with the statements that make them.
type objects map[string]string

// readObjects reads them all. It executes nothing of what it reads.
func readObjects(c *conn) (objects, error) {
	found := objects{}
	var kind, name, table, text string
	err := c.each("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema", nil, []any{&kind, &name, &table, &text}, func() error {
		found[kind+" "+name] = table + "\n" + normal(text)
		return nil
	})
	return found, err
}

// normal drops what versions of SQLite write differently: spaces, and quotes
// around names.
func normal(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, `"`, "")), " ")
}

func (o objects) digest() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(o)) {
		_, _ = fmt.Fprintf(h, "%s\x00%s\x00", name, o[name]) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// checkObjects reports, as ErrStoreDamaged, a store that holds anything that its
// version's scripts did not make, or lacks what they did: a trigger or a view
// would have its way with every message.
func checkObjects(path string, c *conn, version int) error {
	found, err := readObjects(c)
	if err != nil {
		return err
	}
	if found.digest() == knownDigest(version) {
		return nil
	}
	want, err := expectedObjects(version)
	if err != nil {
		return err
	}
	if difference := want.compare(found); difference != "" {
		return fmt.Errorf("%w: %s: %s: something other than bridge has changed its schema", bridge.ErrStoreDamaged, path, difference)
	}
	return nil
}

func knownDigest(version int) string {
	text, err := digests.ReadFile("schema/digests.txt")
	if err != nil {
		return ""
	}
	lines := strings.Fields(string(text))
	if version < 1 || version > len(lines) {
		return ""
	}
	return lines[version-1]
}

// compare names the first difference, or nothing.
func (o objects) compare(found objects) string {
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, ok := o[name]; !ok {
			return "the " + cleantext.CleanLine(cutName(name)) + " is not bridge's"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		switch text, ok := found[name]; {
		case !ok:
			return "the " + name + " is missing"
		case text != o[name]:
			return "the " + name + " is another than bridge's"
		}
	}
	return ""
}

// cutName keeps a name that somebody made up from filling the screen.
func cutName(name string) string {
	const longest = 60
	if runes := []rune(name); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return name
}

// expectedObjects makes the schema of a version in memory.
func expectedObjects(version int) (_ objects, err error) {
	scripts, err := migrations()
	if err != nil {
		return nil, err
	}
	d, err := new(sqlite.Driver).Open(":memory:")
	if err != nil {
		return nil, err
	}
	c := newConn(d)
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := applyMigrations(c, scripts[:version], Options{}); err != nil {
		return nil, err
	}
	return readObjects(c)
}

// contain turns a panic over a file that no SQLite wrote into an error.
func contain(path string, err *error) {
	if reason := recover(); reason != nil {
		*err = fmt.Errorf("%w: %s: reading it failed (%v)", bridge.ErrStoreDamaged, path, reason)
	}
}
