package suite

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/lazyregexp"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// variable matches ${NAME} or ${NAME:-default}. $${ is an escaped ${.
var variable = lazyregexp.New(`\$?\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}`)

// scalar matches a value that is a number or boolean if it is not quoted.
var scalar = lazyregexp.New(`^(?:true|false|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)$`)

// expander replaces the variables in the values of a parsed file, such that a value can
// never change the structure, and rejects keys and YAML features that a suite does not
// have.
type expander struct {
	path     string
	lookup   func(string) (string, bool)
	problems []error
}

func (x *expander) complain(node ast.Node, format string, args ...any) {
	x.problems = append(x.problems, &Error{Path: x.path, Line: lineOf(node), Text: fmt.Sprintf(format, args...)})
}

// node returns the replacement of a node. at is the path of keys that leads to it.
func (x *expander) node(n ast.Node, at string) ast.Node {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, value := range n.Values {
			x.pair(value, at)
		}
	case *ast.MappingValueNode:
		x.pair(n, at)
	case *ast.SequenceNode:
		for i, value := range n.Values {
			n.Values[i] = x.node(value, at)
		}
	case *ast.StringNode:
		return x.text(n)
	case *ast.LiteralNode:
		n.Value = x.text(n.Value).(*ast.StringNode) //nolint:forcetypeassert // a literal never becomes a number
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		x.complain(n, "anchors, aliases and tags are not supported: use matrix for what repeats")
	}
	return n
}

func (x *expander) pair(n *ast.MappingValueNode, at string) {
	if _, merges := n.Key.(*ast.MergeKeyNode); merges {
		x.complain(n, "merge keys are not supported: use matrix for what repeats")
		return
	}
	key := n.Key.String()
	if at != "" {
		key = at + "." + key
	}
	if advice, known := refused[key]; known {
		x.complain(n.Key, "%s is not supported: %s", key, advice)
		return
	}
	n.Value = x.node(n.Value, key)
}

// text replaces the variables of one value. Only an unquoted value can become a number.
func (x *expander) text(n *ast.StringNode) ast.Node {
	replaced := variable().ReplaceAllStringFunc(n.Value, func(found string) string { return x.value(n, found) })
	if replaced == n.Value {
		return n
	}
	n.Value = replaced
	if n.Token.Type == token.StringType && scalar().MatchString(replaced) {
		if f, err := parser.ParseBytes([]byte(replaced), 0); err == nil && len(f.Docs) == 1 {
			return f.Docs[0].Body
		}
	}
	return n
}

func (x *expander) value(n ast.Node, found string) string {
	if strings.HasPrefix(found, "$$") {
		return found[1:]
	}
	parts := variable().FindStringSubmatch(found)
	if value, ok := x.lookup(parts[1]); ok && value != "" {
		return value
	}
	if fallback, ok := strings.CutPrefix(parts[2], ":-"); ok {
		return fallback
	}
	x.complain(n, "the variable %s is not set: set it, or write ${%s:-default}", parts[1], parts[1])
	return ""
}
