package edits

import (
	"os"
	"strings"
)

// git notes the paths that git is told to write. What it writes where it is told no
// paths (checkout of a branch, reset, merge, stash) is not known.
func (w *walker) git(args []word) {
	w.apart(func() {
		for len(args) > 0 && args[0].known && strings.HasPrefix(args[0].text, "-") {
			option := args[0].text
			args = args[1:]
			if option != "-C" && option != "-c" && option != "--git-dir" && option != "--work-tree" && option != "--namespace" {
				continue
			}
			if len(args) == 0 {
				return
			}
			if option == "-C" {
				dir := ""
				if args[0].known {
					dir = w.absolute(args[0].text)
				}
				w.dir = dir
			}
			args = args[1:]
		}
		if len(args) > 0 && args[0].known {
			w.gitVerb(args[0].text, args[1:])
		}
	})
}

func (w *walker) gitVerb(verb string, args []word) {
	switch verb {
	case "checkout":
		w.checkout(args)
	case "restore":
		o := read(args, "sU", "source", "conflict")
		if o.has("staged") && !o.has("worktree") || o.has("S") && !o.has("W") {
			return // the index only
		}
		w.trees(o.operands)
	case "rm":
		o := read(args, "")
		if !o.has("cached") && !o.has("n") && !o.has("dry-run") {
			w.trees(o.operands)
		}
	case "mv":
		w.copies("mv", args)
	case "clean":
		if o := read(args, "e", "exclude"); !o.has("n") && !o.has("dry-run") {
			w.trees(o.operands)
		}
	case "apply":
		w.gitApply(args)
	}
}

func (w *walker) trees(paths []word) {
	for _, path := range paths {
		w.writeKnown(path, true)
	}
}

// checkout writes the paths behind "--". Without that a word is a branch or a path:
// it is taken for a path where there is such a file.
func (w *walker) checkout(args []word) {
	for i, arg := range args {
		if arg.known && arg.text == "--" {
			w.trees(args[i+1:])
			return
		}
	}
	for _, path := range read(args, "bB").operands {
		if path.known && exists(w.absolute(path.text)) {
			w.writeKnown(path, true)
		}
	}
}

func (w *walker) gitApply(args []word) {
	o := read(args, "pC", "directory", "exclude", "include", "whitespace")
	if o.has("check") || o.has("stat") || o.has("numstat") || o.has("summary") || o.has("cached") {
		return
	}
	files := o.operands
	w.apart(func() {
		from := *w
		if dir, ok := o.value("directory"); ok && dir.known {
			w.dir = w.absolute(dir.text)
		}
		for _, file := range files {
			if file.known && file.text != "-" {
				w.diffFile(from.absolute(file.text), stripOf(o, 1))
			}
		}
		w.diff(w.input, stripOf(o, 1))
	})
}

func exists(path string) bool {
	if path == "" {
		return false
	}
	_, err := os.Lstat(path)
	return err == nil
}

func isFolder(path string) bool {
	if path == "" {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
