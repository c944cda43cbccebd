package shell

import (
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

// A tree that contains a home folder contains secrets. Listing its names is
// harmless. Passing these names to a program that reads the files is not, and
// neither is reading the whole tree.

// listers print the names of files, and none of their content.
var listers = expandNames([]struct{ names, why string }{
	{"find fd fdfind locate plocate mlocate mdfind ls tree du rg exa eza lsd dir", "it lists names"},
})

// metadataPrograms take paths and print none of the files' content.
var metadataPrograms = expandNames([]struct{ names, why string }{
	{"ls stat echo printf test [ basename dirname realpath readlink file du wc chmod touch cd pushd find fd fdfind df tree exa eza lsd mkdir pwd type which id groups ln rm rmdir mv git cmake", "it reads no content, or has a rule of its own"},
	{"export declare typeset local readonly alias trap set unset read true false : exit return sleep code open xdg-open subl nautilus dirname", "it reads nothing"},
})

// readersOfLists read the files whose names they are given.
var readersOfLists = expandNames([]struct{ names, why string }{
	{"xargs parallel while read cpio tar bsdtar zip rsync pax afio 7z rush", "it reads the files that are listed"},
})

// isHomeTree reports whether a value is, or may be, a tree that contains a home
// folder.
func (w *walker) isHomeTree(v value, s *state) bool {
	return w.readsTree(v, s) != nil
}

// listsHome reports whether a node contains a program that lists a tree with a
// home folder.
func (w *walker) listsHome(node syntax.Node, s *state) bool {
	hit := false
	syntax.Walk(node, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 || hit {
			return !hit
		}
		name := baseName(call.Args[0].Lit())
		if listers()[name] == "" {
			return true
		}
		if name == "locate" || name == "plocate" || name == "mlocate" || name == "mdfind" {
			hit = true
			return false
		}
		for _, arg := range call.Args[1:] {
			for _, v := range w.build(arg.Parts, s) {
				if !strings.HasPrefix(v.text, "-") && w.isHomeTree(v, s) {
					hit = true
				}
			}
		}
		if (name == "find" || name == "fd" || name == "rg") && s.dirs != nil && w.inHomeTree(s) {
			hit = hit || len(call.Args) == 1 || strings.HasPrefix(call.Args[1].Lit(), "-") || call.Args[1].Lit() == "."
		}
		return !hit
	})
	return hit
}

// checkKeptNames refuses to pass names to a reader that were listed from a tree
// with a home folder and kept in a variable or a file.
func (w *walker) checkKeptNames(inv invocation) error {
	if !w.homeNames || metadataPrograms()[inv.name] != "" || listers()[inv.name] != "" || dataCommands()[inv.name] != "" || destroyers()[inv.name] != "" {
		return nil
	}
	if readersOfLists()[inv.name] != "" && inv.in.kind != inputNone {
		return errHomeTree
	}
	for _, a := range inv.args {
		if a.unknown() {
			return errHomeTree
		}
	}
	return nil
}

// noteKeptNames records that names from a tree with a home folder are kept: by
// mapfile or read from a process substitution, by set, or in a file.
func (w *walker) noteKeptNames(name string, stmt *syntax.Stmt, s *state) {
	if stmt == nil {
		return
	}
	for _, r := range stmt.Redirs {
		switch {
		case r.Word == nil:
		case has("mapfile readarray read", name):
			w.homeNames = w.homeNames || w.listsHome(r.Word, s)
		case (r.Op == syntax.RdrOut || r.Op == syntax.AppOut || r.Op == syntax.RdrAll) && r.Word.Lit() != "/dev/null":
			w.homeNames = w.homeNames || w.listsHome(stmt.Cmd, s)
		}
	}
}

// listsFiles reports whether an argument passes a list of a home folder's files
// to a program that reads them: tar -T <(find ~), wc --files0-from=<(find ~
// -print0).
func (w *walker) listsFiles(call *syntax.CallExpr, i int, s *state) bool {
	for _, part := range call.Args[i].Parts {
		if _, ok := part.(*syntax.ProcSubst); !ok {
			continue
		}
		option := ""
		if lit, ok := call.Args[i].Parts[0].(*syntax.Lit); ok {
			option = lit.Value
		}
		if before := call.Args[i-1].Lit(); before == "-T" || strings.HasPrefix(before, "--files") || strings.HasPrefix(option, "--files") || strings.HasPrefix(option, "-T") {
			return w.listsHome(part, s)
		}
	}
	return false
}

// inHomeTree reports whether the shell's current folder may be in a home folder
// or above one.
func (w *walker) inHomeTree(s *state) bool {
	for _, dir := range s.dirs {
		if !w.inProject(dir) && w.world.Secrets.Below(dir) {
			return true
		}
	}
	return false
}

var errHomeTree = verdict.Refuse(verdict.ReadsTree, "a program must not read a whole tree with a home folder, since it contains secrets: name a more specific folder")

// checkTreeOperand refuses a tree that contains a home folder as an operand of a
// program that may read it.
func (w *walker) checkTreeOperand(inv invocation, s *state) error {
	if has("docker podman kubectl oc nerdctl ssh gdbus qdbus dbus-send", inv.name) && !has("cp build", firstWord(inv.args)) {
		return nil // the paths belong to another machine
	}
	if metadataPrograms()[inv.name] != "" || listers()[inv.name] != "" || dataCommands()[inv.name] != "" || wrappers[inv.name] != nil || destroyers()[inv.name] != "" {
		return nil
	}
	skip := dataArguments(inv)
	for i, a := range inv.args {
		text := a.text
		if _, value, ok := strings.Cut(text, "="); ok && strings.HasPrefix(text, "--") {
			text = value
		}
		if skip[i] || text == "" || strings.HasPrefix(text, "-") || a.unknown() {
			continue
		}
		if text != "/" && !strings.HasPrefix(text, "~") && !strings.HasPrefix(text, "/home") && !strings.HasPrefix(text, "/root") && text != w.world.Home &&
			!strings.HasPrefix(text, w.world.Home+"/") && !strings.HasPrefix(text, "..") {
			continue
		}
		v := a
		v.text, v.pattern = w.world.Untilde(text), w.world.Untilde(text)
		places, _ := w.places(v, s)
		for _, place := range places {
			if !paths.HasGlob(place) && w.world.Secrets.Below(place) && !w.inProject(place) {
				return errHomeTree
			}
		}
	}
	return nil
}
