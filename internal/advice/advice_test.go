package advice_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/bridge"
)

// inTable lists the packages whose sentinel errors can reach a caller of the
// bridge.
var inTable = []string{"access", "auth", "bridge", "claims", "commands", "files", "privatefile", "steps", "tasks"}

// TestEverySentinelIsInTheTable compares the sentinels that the packages declare
// with the rows of the table.
func TestEverySentinelIsInTheTable(t *testing.T) {
	var declared []string
	for _, name := range inTable {
		declared = append(declared, sentinels(t, name)...)
	}
	rows := rowsOfTable(t)
	for _, name := range declared {
		if !slices.Contains(rows, name) {
			t.Errorf("%s has no row in the table", name)
		}
	}
	for _, name := range rows {
		if !slices.Contains(declared, name) {
			t.Errorf("the table has a row for %s, which nobody declares", name)
		}
	}
	if len(declared) < 20 {
		t.Errorf("found only %d sentinels: the test looks in the wrong place", len(declared))
	}
}

// sentinels returns the exported error variables of a package, qualified by the package's
// name.
func sentinels(t *testing.T, name string) (all []string) {
	t.Helper()
	for _, file := range sources(t, filepath.Join("..", name)) {
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				for _, ident := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(ident.Name, "Err") {
						all = append(all, name+"."+ident.Name)
					}
				}
			}
		}
	}
	return all
}

// rowsOfTable returns the errors that the table names.
func rowsOfTable(t *testing.T) (all []string) {
	t.Helper()
	for _, file := range sources(t, ".") {
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Err") {
				if pkg, ok := s.X.(*ast.Ident); ok && slices.Contains(inTable, pkg.Name) {
					all = append(all, pkg.Name+"."+s.Sel.Name)
				}
			}
			return true
		})
	}
	return all
}

func sources(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		files = append(files, file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestOf(t *testing.T) {
	row, ok := advice.Of(fmt.Errorf("%w: more", bridge.ErrStoreFull))
	if !ok || row.Code != "store_full" || row.Exit != advice.ExitFailure || row.Status != 507 {
		t.Errorf("a full store: %+v, %t", row, ok)
	}
	row, ok = advice.Of(errors.New("of nobody"))
	if ok || row.Code != "internal" || row.Exit != advice.ExitFailure || row.Status != 500 {
		t.Errorf("an unknown error: %+v, %t", row, ok)
	}
}
