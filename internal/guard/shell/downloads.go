package shell

import (
	"path"
	"strings"

	"example.org/bridge/internal/guard/paths"
)

// fetchers save what they download in files that their arguments name, some of
// them only after a certain first word.
var fetchers = map[string]string{
	"curl": "", "wget": "", "aria2c": "", "axel": "", "http": "", "https": "", "xh": "", "curlie": "", "fetch": "", "lwp-download": "", "ftpget": "", "ftp": "",
	"tftp": "", "sftp": "", "scp": "", "rsync": "", "lftp": "", "wcurl": "", "gh": "release run gist", "glab": "release", "aws": "s3", "gsutil": "cp", "gcloud": "storage", "az": "storage",
	"s3cmd": "get", "mc": "cp", "rclone": "copy copyto", "ipfs": "get", "svn": "export", "docker": "cp", "podman": "cp", "kubectl": "cp", "socat": "", "oras": "pull", "nc": "", "ncat": "",
}

// cloners download whole folders.
var cloners = map[string]string{"git": "clone", "gh": "repo", "hg": "clone", "svn": "checkout co"}

// loaders run, or are controlled by, files that they find or are given.
var loaders = expandNames([]struct{ names, why string }{
	{"java pip pip3 pipx uv gem dpkg rpm wine wine64 mono dotnet make gmake npm pnpm yarn ansible-playbook docker-compose apt yum dnf snap flatpak installer msiexec php ruby cmake ninja just task rake", "it runs what a file says"},
})

// defaultFiles are the files that loaders run without being told to.
var defaultFiles = map[string]string{
	"make": "Makefile makefile GNUmakefile", "gmake": "Makefile makefile GNUmakefile", "npm": "package.json", "pnpm": "package.json", "yarn": "package.json",
	"just": "justfile Justfile", "task": "Taskfile.yml", "rake": "Rakefile", "cmake": "CMakeLists.txt", "docker-compose": "docker-compose.yml compose.yml",
}

// checkDownloaded refuses to start a program or script that the same command
// downloads.
func (w *walker) checkDownloaded(name value, inv invocation, s *state) error {
	isPath := strings.Contains(name.text, "/")
	if isPath && (w.downloads[inv.name] || (w.fetched && !paths.IsAbs(name.text)) || w.inCloned(name, s)) {
		return errDownloaded
	}
	if loaders()[inv.name] != "" {
		for _, a := range inv.args {
			if !strings.HasPrefix(a.text, "-") && w.downloads[baseName(a.text)] {
				return errDownloaded
			}
		}
		for file := range strings.FieldsSeq(defaultFiles[inv.name]) {
			if w.downloads[file] {
				return errDownloaded
			}
		}
	}
	_, lang := interpreterFor(inv.name)
	if lang == nil && shells()[inv.name] == "" && inv.name != "source" && inv.name != "." {
		return nil
	}
	for _, a := range inv.args {
		if strings.HasPrefix(a.text, "-") {
			continue
		}
		if (w.downloads[baseName(a.text)] || w.inCloned(a, s)) && !lang.takesCode() {
			return errDownloaded
		}
		return nil
	}
	return nil
}

func (lang *interpreter) takesCode() bool { return lang != nil && lang.first }

// inCloned reports whether a path lies in a folder that this command clones.
func (w *walker) inCloned(v value, s *state) bool {
	if len(w.cloned) == 0 {
		return false
	}
	places, _ := w.places(v, s)
	for _, place := range places {
		for _, dir := range w.cloned {
			if place != dir && paths.Within(place, dir) {
				return true
			}
		}
	}
	return false
}

// noteDownload records the names under which downloads are saved.
func (w *walker) noteDownload(inv invocation, s *state) {
	w.noteClone(inv, s)
	switch inv.name {
	case "mv", "cp", "install", "ln":
		w.renameDownload(inv)
		return
	case "tee":
		if inv.in.fetched {
			for _, a := range inv.args {
				w.downloads[baseName(a.text)] = true
			}
		}
		return
	}
	if unpackers()[inv.name] != "" {
		for _, a := range inv.args {
			w.fetched = w.fetched || w.downloads[baseName(a.text)] || (a.process && inv.stmt != nil && callsAny(inv.stmt, downloaders()) && inv.name != "cat")
		}
	}
	verb, ok := fetchers[inv.name]
	if !ok || (verb != "" && verbIndex(inv.args, verb) < 0) {
		return
	}
	for i, a := range inv.args {
		arg := a.text
		switch {
		case strings.HasPrefix(arg, "--output=") || strings.HasPrefix(arg, "--output-document="):
			_, name, _ := strings.Cut(arg, "=")
			w.noteFile(name)
		case i > 0 && takesOutput(inv.args[i-1].text):
			w.noteFile(arg)
		case len(arg) > 2 && arg[0] == '-' && arg[1] != '-' && (arg[1] == 'o' || arg[1] == 'O'):
			w.noteFile(arg[2:])
		case !strings.HasPrefix(arg, "-"):
			address, _, _ := strings.Cut(arg, "?")
			w.noteFile(strings.TrimPrefix(address, "FILE:"))
			if _, file, remote := strings.Cut(address, ":"); remote {
				w.noteFile(file)
			}
		}
	}
}

// noteClone records the folder that a clone creates.
func (w *walker) noteClone(inv invocation, s *state) {
	verb, ok := cloners[inv.name]
	if !ok {
		return
	}
	at := verbIndex(inv.args, verb)
	if at < 0 {
		return
	}
	_, operands := looseOperands(inv.args[at+1:])
	if inv.name == "gh" && len(operands) > 0 {
		operands = operands[1:] // clone
	}
	if len(operands) == 0 {
		return
	}
	dir := operands[len(operands)-1]
	if len(operands) == 1 {
		dir = literal(strings.TrimSuffix(path.Base(strings.TrimSuffix(dir.text, "/")), ".git"))
	}
	places, _ := w.places(dir, s)
	w.cloned = append(w.cloned, places...)
}

func takesOutput(option string) bool {
	return option == "--output" || option == "--output-document" ||
		(len(option) > 1 && option[0] == '-' && option[1] != '-' && (strings.HasSuffix(option, "o") || strings.HasSuffix(option, "O")))
}

func (w *walker) noteFile(name string) {
	if strings.ContainsRune(name, unknownMark) {
		w.fetched = true
		return
	}
	w.downloads[baseName(name)] = true
}

func (w *walker) renameDownload(inv invocation) {
	_, operands := looseOperands(inv.args)
	if len(operands) < 2 {
		return
	}
	for _, source := range operands[:len(operands)-1] {
		if w.downloads[baseName(source.text)] {
			w.downloads[baseName(operands[len(operands)-1].text)] = true
		}
	}
}
