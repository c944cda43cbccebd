package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// change is one changed copy of a file. Most changes can also be made by a switch:
// code that does one or the other (see switches.go).
type change struct {
	file     string
	place    string // file and line
	what     string
	text     []byte
	from, to int    // position of the switch
	line     [2]int // its first and its last line
	switched string // its text; %[1]d is the number of the switch. "" if there is none
}

// key identifies a change.
func (c change) key() string { return c.place + c.what }

// changesOf returns all changes that can be made in a package's source.
func changesOf(p *source) (all []change) {
	for i, tree := range p.trees {
		e := &editor{file: p.files[i], text: p.texts[i], source: p}
		ast.Inspect(tree, func(n ast.Node) bool {
			e.visit(n)
			return true
		})
		all = append(all, e.all...)
	}
	return all
}

// editor collects the changes of one file.
type editor struct {
	*source

	file string
	text []byte
	all  []change
}

// swaps maps operators to those with which they are easily confused.
var swaps = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.EQL: "!=", token.NEQ: "==",
	token.LAND: "||", token.LOR: "&&", token.ADD: "-", token.SUB: "+",
}

// settings are words in strings that disable something.
var settings = map[string]string{
	"secure_delete(ON)": "secure_delete(OFF)", "trusted_schema(OFF)": "trusted_schema(ON)", "foreign_keys(ON)": "foreign_keys(OFF)",
	"synchronous(FULL)": "synchronous(OFF)", "BEGIN IMMEDIATE": "BEGIN", " AND ": " OR ", "DELETE FROM": "DELETE FROM /* nothing */ ",
	" = ?": " <> ?", " > ?": " >= ?", "DESC": "ASC",
}

func (e *editor) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		e.visitOperator(n)
	case *ast.IfStmt:
		e.replace(n.Cond.Pos(), n.Cond.End(), "!("+e.textOf(n.Cond)+")")
		e.turn(n.Cond, "((", ") != mutantOn(%[1]d))")
	case *ast.ReturnStmt:
		e.visitReturn(n)
	case *ast.ExprStmt, *ast.DeferStmt:
		e.leaveOut(n)
	case *ast.AssignStmt:
		if n.Tok == token.ASSIGN || n.Tok == token.ADD_ASSIGN {
			e.leaveOut(n)
		}
	case *ast.Ident:
		if n.Name == "true" || n.Name == "false" {
			e.replace(n.Pos(), n.End(), map[string]string{"true": "false", "false": "true"}[n.Name])
			e.turn(n, "(", " != mutantOn(%[1]d))")
		}
	case *ast.BasicLit:
		e.visitLiteral(n)
	}
}

// visitOperator replaces an operator. The sum of two strings is left alone, since
// strings have no difference.
func (e *editor) visitOperator(n *ast.BinaryExpr) {
	to, ok := swaps[n.Op]
	if !ok || n.Op == token.ADD && (isText(n.X) || isText(n.Y)) {
		return
	}
	e.replace(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), to)
	if n.Op == token.ADD || n.Op == token.SUB {
		name := map[token.Token]string{token.ADD: "mutantPlus", token.SUB: "mutantMinus"}[n.Op]
		e.turn(n, name+"["+e.typeOf(n)+"](%[1]d, ", ")")
		e.all[len(e.all)-1].switched = name + "[" + e.typeOf(n) + "](%[1]d, " + escape(e.textOf(n.X)+", "+e.textOf(n.Y)) + ")"
		return
	}
	changed := e.textOf(n.X) + " " + to + " " + e.textOf(n.Y)
	e.turn(n, "(mutantOn(%[1]d) && ("+escape(changed)+") || !mutantOn(%[1]d) && (", "))")
}

// isText reports whether an expression contains a string, so that it is a
// string itself.
func isText(n ast.Expr) bool {
	switch n := n.(type) {
	case *ast.BasicLit:
		return n.Kind == token.STRING
	case *ast.BinaryExpr:
		return isText(n.X) || isText(n.Y)
	}
	return false
}

// leaveOut removes a statement.
func (e *editor) leaveOut(n ast.Node) {
	e.replace(n.Pos(), n.End(), "")
	e.turn(n, "if !mutantOn(%[1]d) { ", " }")
}

// visitReturn drops an error.
func (e *editor) visitReturn(n *ast.ReturnStmt) {
	if len(n.Results) == 0 {
		return
	}
	last := n.Results[len(n.Results)-1]
	if name, ok := last.(*ast.Ident); ok && name.Name == "err" {
		e.replace(last.Pos(), last.End(), "nil")
		e.turn(last, "mutantError(%[1]d, ", ")")
	}
}

func (e *editor) visitLiteral(n *ast.BasicLit) {
	switch n.Kind {
	case token.INT:
		if value, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			e.replace(n.Pos(), n.End(), strconv.FormatInt(value+1, 10))
			e.turn(n, "mutantMore["+e.typeOf(n)+"](%[1]d, ", ")")
		}
	case token.STRING:
		for _, from := range slices.Sorted(maps.Keys(settings)) { // in a fixed order, so that it is repeatable
			to := settings[from]
			at := strings.Index(n.Value, from)
			if at < 0 {
				continue
			}
			changed := n.Value[:at] + to + n.Value[at+len(from):]
			if from == "DELETE FROM" {
				changed = `"SELECT 1 WHERE ?1 IS NULL"`
				e.replace(n.Pos(), n.End(), changed)
			} else {
				e.replace(n.Pos()+token.Pos(at), n.Pos()+token.Pos(at+len(from)), to)
			}
			e.turn(n, "mutantText(%[1]d, ", ", "+escape(changed)+")")
		}
	}
}

func (e *editor) textOf(n ast.Node) string {
	return string(e.text[e.offset(n.Pos()):e.offset(n.End())])
}

func (e *editor) offset(p token.Pos) int { return e.set.Position(p).Offset }

// replace records a copy with other text between two positions.
func (e *editor) replace(from, to token.Pos, with string) {
	old := string(e.text[e.offset(from):e.offset(to)])
	changed := string(e.text[:e.offset(from)]) + with + string(e.text[e.offset(to):])
	position := e.set.Position(from)
	what := fmt.Sprintf("%s -> %s", short(old), short(with))
	if with == "" {
		what = "without " + short(old)
	}
	place := fmt.Sprintf("%s:%d:%d", e.file, position.Line, position.Column)
	e.all = append(e.all, change{file: e.file, place: place, what: what, text: []byte(changed)})
}

// turn makes the last change available as a switch, with two texts around n.
func (e *editor) turn(n ast.Node, before, after string) {
	c := &e.all[len(e.all)-1]
	c.from, c.to = e.offset(n.Pos()), e.offset(n.End())
	c.line = [2]int{e.set.Position(n.Pos()).Line, e.set.Position(n.End()).Line}
	c.switched = before + escape(e.textOf(n)) + after
}

// escape escapes a text for use in a format.
func escape(text string) string { return strings.ReplaceAll(text, "%", "%%") }

func short(text string) string {
	const longest = 60
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}
