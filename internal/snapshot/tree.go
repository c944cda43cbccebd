package snapshot

import (
	"fmt"
	"strconv"
	"strings"
)

// kind is the kind of a path.
type kind byte

const (
	file   kind = 'f'
	link   kind = 'l'
	folder kind = 'd'
	// These kinds are never kept.
	special kind = 's' // a pipe, a socket, a device
	unread  kind = 'u' // a file that is too large or cannot be read
)

// node is a file, link or folder.
type node struct {
	name string
	kind kind
	mode uint32 // permissions
	size int64
	// hash is the name of a file's content, of a link's target, or of a tree.
	hash     string
	children []*node // of a folder, ordered by name
	// empty means that nothing in a visited folder is kept.
	empty bool
}

// appendText appends the stored form of a folder, whose entries must be stored
// already.
func (n *node) appendText(text []byte) []byte {
	for _, c := range n.children {
		text = append(text, byte(c.kind), ' ')
		text = append(strconv.AppendUint(text, uint64(c.mode), 8), ' ')
		text = append(strconv.AppendInt(text, c.size, 10), ' ')
		text = append(append(text, c.hash...), ' ')
		text = append(strconv.AppendQuote(text, c.name), '\n')
	}
	return text
}

// getTree reads a folder and everything in it.
func (o *objects) getTree(hash string) (*node, error) {
	text, err := o.get(trees, hash)
	if err != nil {
		return nil, err
	}
	n := &node{kind: folder, hash: hash}
	for line := range strings.Lines(string(text)) {
		c, err := parseNode(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		if c.kind == folder {
			sub, err := o.getTree(c.hash)
			if err != nil {
				return nil, err
			}
			c.children = sub.children
		}
		n.children = append(n.children, c)
	}
	return n, nil
}

func parseNode(line string) (*node, error) {
	f := strings.SplitN(line, " ", 5)
	if len(f) != 5 || len(f[0]) != 1 {
		return nil, fmt.Errorf("%w: a line of a tree", ErrDamaged)
	}
	mode, modeErr := strconv.ParseUint(f[1], 8, 32)
	size, sizeErr := strconv.ParseInt(f[2], 10, 64)
	name, nameErr := strconv.Unquote(f[4])
	n := &node{name: name, kind: kind(f[0][0]), mode: uint32(mode), size: size, hash: f[3]}
	known := n.kind == file || n.kind == link || n.kind == folder
	if modeErr != nil || sizeErr != nil || nameErr != nil || !known || !plainName(name) || mode > 0o777 {
		return nil, fmt.Errorf("%w: a line of a tree", ErrDamaged)
	}
	return n, nil
}

// plainName reports whether a name can be that of a folder's entry.
func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// flatten returns everything below n except folders, by path with slashes.
func (n *node) flatten() map[string]*node {
	all := make(map[string]*node)
	n.visit("", func(path string, c *node) {
		if c.kind != folder {
			all[path] = c
		}
	})
	return all
}

// visit calls f for everything below n, folders before their content.
func (n *node) visit(prefix string, f func(path string, c *node)) {
	for _, c := range n.children {
		path := join(prefix, c.name)
		f(path, c)
		c.visit(path, f)
	}
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
