package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// source is a package that is changed: its files for this system, and their types.
type source struct {
	dir, name string
	files     []string // below the module, like dir
	texts     [][]byte
	trees     []*ast.File
	set       *token.FileSet
	info      *types.Info
	imports   types.Importer
}

// listed is the output of go list for a package.
type listed struct {
	Dir, ImportPath, Name, Export string
	GoFiles                       []string
}

// loadSources reads packages, and the compiler's export data of everything that
// they import.
func loadSources(dirs []string) (map[string]*source, error) {
	args := []string{"list", "-export", "-deps", "-json=Dir,ImportPath,Name,Export,GoFiles"}
	for _, dir := range dirs {
		args = append(args, "./"+dir)
	}
	text, err := goTool(args...)
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, text)
	}
	exports, packages := map[string]string{}, map[string]listed{}
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var l listed
		if err := decoder.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[l.ImportPath], packages[l.Dir] = l.Export, l
	}
	set := token.NewFileSet()
	imports := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	all := map[string]*source{}
	for _, dir := range dirs {
		path, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		if all[dir], err = loadSource(dir, packages[path], set, imports); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func loadSource(dir string, l listed, set *token.FileSet, imports types.Importer) (*source, error) {
	p := &source{
		dir: dir, name: l.Name, set: set, imports: imports,
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}},
	}
	for _, name := range l.GoFiles {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		tree, err := parser.ParseFile(set, file, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.files, p.texts, p.trees = append(p.files, file), append(p.texts, text), append(p.trees, tree)
	}
	return p, p.check(p.trees, p.info)
}

// check returns the first error that the compiler would report.
func (p *source) check(trees []*ast.File, info *types.Info) error {
	config := types.Config{Importer: p.imports}
	_, err := config.Check(p.dir, p.set, trees, info)
	return err
}

// compiles reports whether the package compiles with a different text for one file and
// with additional files.
func (p *source) compiles(file string, text []byte, more ...[]byte) bool {
	trees := make([]*ast.File, 0, len(p.trees)+len(more))
	for i, tree := range p.trees {
		if p.files[i] == file {
			changed, err := parser.ParseFile(p.set, file, text, parser.SkipObjectResolution)
			if err != nil {
				return false
			}
			tree = changed
		}
		trees = append(trees, tree)
	}
	for _, text := range more {
		tree, err := parser.ParseFile(p.set, "more.go", text, parser.SkipObjectResolution)
		if err != nil {
			return false
		}
		trees = append(trees, tree)
	}
	return p.check(trees, nil) == nil
}

// typeOf returns an expression's type as it is written within the package.
func (p *source) typeOf(n ast.Expr) string {
	t := p.info.TypeOf(n)
	if t == nil {
		return "int"
	}
	return types.TypeString(types.Default(t), func(other *types.Package) string {
		if other.Path() == p.dir {
			return ""
		}
		return other.Name()
	})
}

// text returns the content of a file of the package.
func (p *source) text(file string) []byte { return p.texts[slices.Index(p.files, file)] }
