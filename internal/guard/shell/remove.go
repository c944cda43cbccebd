package shell

import (
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

func (w *walker) remove(inv invocation, s *state) error {
	options, operands := looseOperands(inv.args)
	recursive := hasFlag(options, "rR", "--recursive") || inv.name == "rimraf" || inv.name == "trash"
	if hasFlag(options, "", "--no-preserve-root") {
		return verdict.Refuse(verdict.RemovesTooMuch, "--no-preserve-root is refused")
	}
	unknown := 0
	for _, v := range append(options, operands...) {
		if v.unknown() && v.loose {
			return verdict.Refuse(verdict.UnknownTarget, "the targets of the removal are not known before the command runs: quote the variable, or write the path literally")
		}
	}
	for _, v := range operands {
		if v.unknown() {
			unknown++
		}
		if recursive {
			if err := w.checkRemove(v, s, "recursive removal"); err != nil {
				return err
			}
			continue
		}
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
		if v.unknown() || inv.name == "rmdir" {
			continue
		}
		places, _ := w.places(v, s)
		for _, place := range places {
			if w.matchesNeverRemoved(place) {
				return verdict.Refuse(verdict.RemovesTooMuch, "removing the workspace, a home folder or a parent of one is refused")
			}
		}
	}
	if unknown > 1 {
		return verdict.Refuse(verdict.UnknownTarget, "several arguments of the removal are not known before the command runs, and could be options: write the paths literally")
	}
	return nil
}

// removedBy are the words and options with which programs other than rm remove a
// named folder: a verb followed by the folder, or an option whose value is the
// folder.
var removedBy = map[string]struct{ verb, option string }{
	"cargo": {"clean", "--target-dir"}, "dotnet": {"clean", "-o --output"}, "gio": {"trash remove", ""}, "trash-put": {"", ""}, "gvfs-trash": {"", ""}, "kioclient": {"remove move", ""},
	"del-cli": {"", ""}, "del": {"", ""}, "rclone": {"purge delete", ""}, "mvn": {"clean", "-DoutputDirectory"}, "buck2": {"clean", "--isolation-dir"},
}

// removesFolder checks what such programs remove.
func (w *walker) removesFolder(inv invocation, s *state) error {
	by, ok := removedBy[inv.name]
	args := fromSubcommand(inv.name, inv.args)
	if !ok || by.verb != "" && !has(by.verb, firstWord(args)) {
		return nil
	}
	if by.option == "" {
		_, operands := looseOperands(args)
		for i, v := range operands {
			if i == 0 && by.verb != "" {
				continue
			}
			if err := w.checkRemove(v, s, "removal"); err != nil {
				return err
			}
		}
		return nil
	}
	for i, a := range args {
		name, value, attached := strings.Cut(a.text, "=")
		v := literal(value)
		switch {
		case !has(by.option, name):
			continue
		case !attached && i+1 < len(args):
			v = args[i+1]
		}
		if err := w.checkRemove(v, s, "removal"); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) changeRights(inv invocation, s *state) error {
	options, operands := looseOperands(inv.args)
	recursive := hasFlag(options, "R", "--recursive")
	for i, v := range append(options, operands...) {
		if i < len(options) && !strings.Contains(v.text, "s") {
			continue
		}
		if inv.name == "chmod" && setsID(v.text) {
			return errSetsID
		}
	}
	for i, v := range operands {
		if i == 0 && inv.name != "setfacl" {
			continue // the mode or the owner
		}
		if recursive {
			if err := w.checkRemove(v, s, "changing the permissions of a tree"); err != nil {
				return err
			}
			continue
		}
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
	}
	if recursive && len(operands) > 0 && inv.name != "setfacl" {
		// chmod -R -x DIR: the mode looks like an option.
		if v := operands[0]; paths.IsAbs(v.text) || v.text == "." || strings.HasPrefix(v.text, "..") || strings.HasPrefix(v.text, "*") {
			return w.checkRemove(v, s, "changing the permissions of a tree")
		}
	}
	return nil
}

var errSetsID = verdict.Refuse(verdict.SetUserID, "setting the set-user-ID bit is refused")

// modeOptions are the options with which programs other than chmod set a mode.
var modeOptions = map[string]string{
	"install": "-m --mode", "mkdir": "-m --mode", "mkfifo": "-m --mode", "mknod": "-m --mode",
	"rsync": "--chmod", "tar": "--mode", "bsdtar": "--mode", "cpio": "--mode",
}

// checkModes refuses the set-user-ID bit in a mode that is given with an option.
func checkModes(inv invocation) error {
	for i, a := range inv.args {
		name, mode, attached := strings.Cut(a.text, "=")
		if cluster, ok := strings.CutPrefix(a.text, "-"); ok && has(modeOptions[inv.name], "-m") && !strings.HasPrefix(cluster, "-") {
			if at := strings.IndexByte(cluster, 'm'); at >= 0 { // -m4755, -pm 4755
				name, mode, attached = "-m", cluster[at+1:], at+1 < len(cluster)
			}
		}
		if !has(modeOptions[inv.name], name) {
			continue
		}
		if !attached && i+1 < len(inv.args) {
			mode = inv.args[i+1].text
		}
		for part := range strings.SplitSeq(mode, ",") {
			if setsID(strings.TrimLeft(part, "DF")) {
				return errSetsID
			}
		}
	}
	return nil
}

// setsID reports whether a mode sets the set-user-ID or set-group-ID bit: u+s,
// g=xs, 4755, =4755, 06755.
func setsID(mode string) bool {
	mode = strings.TrimPrefix(mode, "=")
	if digits := strings.TrimLeft(mode, "0"); verdict.IsDigits(mode) {
		return len(digits) == 4 && digits[0] >= '2' && digits[0] <= '7' && digits[0] != '1'
	}
	at := strings.IndexAny(mode, "+=")
	return at >= 0 && at < 5 && strings.ContainsRune(mode[at:], 's')
}
