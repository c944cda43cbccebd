package edits

import (
	"os"
	"path/filepath"
	"strings"
)

// git records the paths that a git command writes. What it writes without being
// given paths (checkout of a branch, reset, merge, stash) is not known.
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

// trees records the paths that git's pathspecs name.
func (w *walker) trees(paths []word) {
	for _, path := range paths {
		if !path.known || strings.HasPrefix(path.text, ":!") || strings.HasPrefix(path.text, ":^") || strings.HasPrefix(path.text, ":(exclude)") {
			continue
		}
		rest, fromTop := strings.CutPrefix(path.text, ":/")
		if !fromTop {
			rest, fromTop = strings.CutPrefix(path.text, ":(top)")
		}
		if fromTop {
			path.text = w.top() + "/" + rest
		}
		w.writeKnown(path, true)
	}
}

// checkout writes the paths after "--". Without "--", a word may be a branch or a
// path. It is considered a path if such a file exists, or if it follows another
// word.
func (w *walker) checkout(args []word) {
	for i, arg := range args {
		if arg.known && arg.text == "--" {
			w.trees(args[i+1:])
			return
		}
	}
	o := read(args, "bB", "orphan")
	for i, path := range o.operands {
		begins := o.has("b") || o.has("B") || o.has("orphan") // then there are no paths
		if path.known && (i > 0 && !begins || exists(w.absolute(path.text))) {
			w.trees([]word{path})
		}
	}
}

func (w *walker) gitApply(args []word) {
	o := read(args, "pC", "directory", "exclude", "include", "whitespace")
	if o.has("check") || o.has("stat") || o.has("numstat") || o.has("summary") || o.has("cached") {
		return
	}
	texts := []string{w.input.content()}
	for _, file := range o.operands {
		if file.known {
			texts = append(texts, readFile(w.absolute(file.text)))
		}
	}
	// Paths in git's patches are relative to the root of the working tree, others to the
	// current folder.
	for _, from := range []string{w.dir, w.top()} {
		w.apart(func() {
			w.dir = from
			if dir, ok := o.value("directory"); ok && dir.known {
				w.dir = w.absolute(dir.text)
			}
			for _, text := range texts {
				w.diff(text, stripOf(o, 1))
			}
		})
	}
}

// top returns the root of the working tree that contains the current folder, or
// "".
func (w *walker) top() string {
	if w.dir == "" {
		return ""
	}
	for _, root := range repositories(filepath.Clean(w.dir)) {
		return root
	}
	return ""
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
