package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// change is one changed copy of a file.
type change struct {
	file  string
	place string // file and line
	what  string
	text  []byte
}

// changesOf returns all changes that can be made in a package's source.
func changesOf(dir string) (all []change, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || foreign(file) {
			continue
		}
		changes, err := changesIn(file)
		if err != nil {
			return nil, err
		}
		all = append(all, changes...)
	}
	return all, nil
}

// foreign reports a file for another platform, by its name.
func foreign(file string) bool {
	name := strings.TrimSuffix(filepath.Base(file), ".go")
	_, suffix, found := strings.Cut(name, "_")
	if !found {
		return false
	}
	switch suffix = suffix[strings.LastIndexByte(suffix, '_')+1:]; suffix {
	case "other", "windows", "darwin", "linux", "unix":
		return suffix != runtime.GOOS && (suffix != "unix" || runtime.GOOS == "windows")
	}
	return false
}

// editor collects the changes of one file.
type editor struct {
	file string
	text []byte
	set  *token.FileSet
	all  []change
}

func changesIn(file string) ([]change, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	e := &editor{file: file, text: text, set: token.NewFileSet()}
	tree, err := parser.ParseFile(e.set, file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		e.visit(n)
		return true
	})
	return e.all, nil
}

// swaps are the operators that one slip turns into another.
var swaps = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.EQL: "!=", token.NEQ: "==",
	token.LAND: "||", token.LOR: "&&", token.ADD: "-", token.SUB: "+",
}

// settings are words in texts that switch something off.
var settings = map[string]string{
	"secure_delete(ON)": "secure_delete(OFF)", "trusted_schema(OFF)": "trusted_schema(ON)", "foreign_keys(ON)": "foreign_keys(OFF)",
	"synchronous(FULL)": "synchronous(OFF)", "BEGIN IMMEDIATE": "BEGIN", " AND ": " OR ", "DELETE FROM": "DELETE FROM /* nothing */ ",
	" = ?": " <> ?", " > ?": " >= ?", "DESC": "ASC",
}

func (e *editor) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if to, ok := swaps[n.Op]; ok {
			e.replace(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), to)
		}
	case *ast.IfStmt:
		e.replace(n.Cond.Pos(), n.Cond.End(), "!("+e.source(n.Cond)+")")
	case *ast.ReturnStmt:
		e.visitReturn(n)
	case *ast.ExprStmt:
		e.replace(n.Pos(), n.End(), "")
	case *ast.AssignStmt:
		if n.Tok == token.ASSIGN || n.Tok == token.ADD_ASSIGN {
			e.replace(n.Pos(), n.End(), "")
		}
	case *ast.DeferStmt:
		e.replace(n.Pos(), n.End(), "")
	case *ast.Ident:
		if n.Name == "true" || n.Name == "false" {
			e.replace(n.Pos(), n.End(), map[string]string{"true": "false", "false": "true"}[n.Name])
		}
	case *ast.BasicLit:
		e.visitLiteral(n)
	}
}

// visitReturn forgets an error.
func (e *editor) visitReturn(n *ast.ReturnStmt) {
	if len(n.Results) == 0 {
		return
	}
	last := n.Results[len(n.Results)-1]
	if name, ok := last.(*ast.Ident); ok && name.Name == "err" {
		e.replace(last.Pos(), last.End(), "nil")
	}
}

func (e *editor) visitLiteral(n *ast.BasicLit) {
	switch n.Kind {
	case token.INT:
		if value, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			e.replace(n.Pos(), n.End(), strconv.FormatInt(value+1, 10))
		}
	case token.STRING:
		for _, from := range slices.Sorted(maps.Keys(settings)) { // in one order, to be repeated
			to := settings[from]
			if at := strings.Index(n.Value, from); at >= 0 {
				start := n.Pos() + token.Pos(at)
				if from == "DELETE FROM" {
					e.replace(n.Pos(), n.End(), `"SELECT 1 WHERE ?1 IS NULL"`)
					continue
				}
				e.replace(start, start+token.Pos(len(from)), to)
			}
		}
	}
}

func (e *editor) source(n ast.Node) string {
	return string(e.text[e.offset(n.Pos()):e.offset(n.End())])
}

func (e *editor) offset(p token.Pos) int { return e.set.Position(p).Offset }

// replace notes a copy with other text between two places.
func (e *editor) replace(from, to token.Pos, with string) {
	old := string(e.text[e.offset(from):e.offset(to)])
	changed := string(e.text[:e.offset(from)]) + with + string(e.text[e.offset(to):])
	position := e.set.Position(from)
	what := fmt.Sprintf("%s -> %s", short(old), short(with))
	if with == "" {
		what = "without " + short(old)
	}
	e.all = append(e.all, change{e.file, fmt.Sprintf("%s:%d:%d", e.file, position.Line, position.Column), what, []byte(changed)})
}

func short(text string) string {
	const longest = 60
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}
