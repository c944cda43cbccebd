package table_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestRows looks for mistakes in the tables: a row without a reason, an option in
// two rows of one table, a custom row without a check. It parses the source code,
// so that no table can be missed.
func TestRows(t *testing.T) {
	r := &rowReader{t: t, lists: map[string][]string{}, seen: map[*ast.CompositeLit]bool{}}
	files := r.parse()
	for _, f := range files {
		ast.Inspect(f, r.names)
	}
	for _, f := range files {
		ast.Inspect(f, r.literals)
	}
	for _, f := range files {
		ast.Inspect(f, r.joins)
	}
	const atLeast = 70 // a parser that finds no tables would report no mistakes
	if len(r.seen) < atLeast {
		t.Errorf("only %d tables were found", len(r.seen))
	}
}

type rowReader struct {
	t     *testing.T
	set   *token.FileSet
	lists map[string][]string // the options of each named table
	seen  map[*ast.CompositeLit]bool
}

func (r *rowReader) parse() []*ast.File {
	r.t.Helper()
	r.set = token.NewFileSet()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		r.t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(r.set, path, nil, 0)
		if err != nil {
			r.t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

func isRows(e ast.Expr) bool {
	list, ok := e.(*ast.ArrayType)
	if !ok {
		return false
	}
	of, ok := list.Elt.(*ast.Ident)
	return ok && of.Name == "row"
}

// names records which variables hold which tables.
func (r *rowReader) names(n ast.Node) bool {
	v, ok := n.(*ast.ValueSpec)
	if !ok {
		return true
	}
	for i, value := range v.Values {
		if lit, ok := value.(*ast.CompositeLit); ok && isRows(lit.Type) {
			r.lists[v.Names[i].Name] = r.check(lit)
		}
	}
	return true
}

// literals also checks the tables without a name. The tables in a map literal
// have no type of their own in the source.
func (r *rowReader) literals(n ast.Node) bool {
	lit, ok := n.(*ast.CompositeLit)
	if !ok {
		return true
	}
	if isRows(lit.Type) {
		r.check(lit)
	}
	if m, ok := lit.Type.(*ast.MapType); ok && isRows(m.Value) {
		for _, e := range lit.Elts {
			if rows, ok := e.(*ast.KeyValueExpr).Value.(*ast.CompositeLit); ok {
				r.check(rows)
			}
		}
	}
	return true
}

// joins checks that tables which are joined have no option in common.
func (r *rowReader) joins(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return true
	}
	if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "join" {
		return true
	}
	var all []string
	for _, arg := range call.Args {
		switch a := arg.(type) {
		case *ast.Ident:
			all = append(all, r.lists[a.Name]...)
		case *ast.CompositeLit:
			all = append(all, r.check(a)...)
		}
	}
	r.distinct(call.Pos(), all)
	return true
}

// check checks each row of a table, and returns its options.
func (r *rowReader) check(lit *ast.CompositeLit) (options []string) {
	for _, e := range lit.Elts {
		row, ok := e.(*ast.CompositeLit)
		if !ok {
			r.t.Errorf("%s: a row is not a literal", r.set.Position(e.Pos()))
			continue
		}
		options = append(options, r.row(row)...)
	}
	if !r.seen[lit] {
		r.distinct(lit.Pos(), options)
	}
	r.seen[lit] = true
	return options
}

func (r *rowReader) row(lit *ast.CompositeLit) []string {
	fields := map[string]ast.Expr{}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			fields[kv.Key.(*ast.Ident).Name] = kv.Value
		}
	}
	at := r.set.Position(lit.Pos())
	names := text(fields["names"])
	if names == "" || text(fields["why"]) == "" {
		r.t.Errorf("%s: a row needs names and a reason", at)
	}
	value, _ := fields["value"].(*ast.Ident)
	custom := value != nil && value.Name == "custom"
	if custom != (fields["check"] != nil) {
		r.t.Errorf("%s: a custom row and its check go together", at)
	}
	return strings.Fields(names)
}

func (r *rowReader) distinct(at token.Pos, options []string) {
	seen := map[string]bool{}
	for _, o := range options {
		if seen[o] {
			r.t.Errorf("%s: %s stands in two rows", r.set.Position(at), o)
		}
		seen[o] = true
	}
}

// text returns the value of a string expression, which may be a sum of literals.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err == nil {
			return s
		}
	case *ast.BinaryExpr:
		return text(e.X) + text(e.Y)
	}
	return ""
}
