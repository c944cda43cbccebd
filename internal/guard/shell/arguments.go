package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// checkArguments refuses secrets, devices and never-writable paths among the
// arguments of any command.
func (w *walker) checkArguments(inv invocation, s *state) error {
	why := dataCommands[inv.name]
	if why != "" && !inv.in.toArgs {
		return nil
	}
	if inv.in.toRemoval {
		if err := w.listsOutside(inv, s); err != nil {
			return err
		}
	}
	skip := dataArguments(inv)
	for i, a := range inv.args {
		if skip[i] {
			continue
		}
		if err := w.checkSecret(a, s); err != nil {
			return err
		}
		if contentReaders[inv.name] != "" && w.isSecretFile(a, s) {
			return verdict.ErrSecretFile
		}
		if readers[inv.name] == "" && !onlyReadsSources[inv.name] && !strings.HasPrefix(a.text, "-") && strings.IndexByte(a.text, '\n') < 0 {
			if w.neverWritten(a, s) {
				return verdict.Refuse(verdict.ProtectedPath, "%s configures git, an editor, a shell or an agent, and is never written", verdict.Short(a.text))
			}
		}
	}
	return nil
}

// onlyReadsSources are programs that write their destination alone, which is
// judged by their own rule.
var onlyReadsSources = map[string]bool{"cp": true, "rsync": true, "scp": true}

// contentReaders print or send what their operands hold.
var contentReaders = expandNames([]struct{ names, why string }{
	{"cat head tail less more bat grep egrep fgrep rg ag ack zgrep awk gawk mawk nawk sed cut sort uniq nl tac rev column fold paste join strings xxd od hexdump base64 base32 diff cmp comm colordiff sdiff jq yq tr view pr fmt expand", "it prints the file"},
	{"curl wget nc ncat scp sftp rsync tar bsdtar zip 7z gzip xz zstd dd gpg age pbcopy xclip wl-copy openssl-base64 mail tee-in", "it copies or sends the file"},
})

// listsOutside refuses listing places outside the project for a removal that
// follows in the pipeline.
func (w *walker) listsOutside(inv invocation, s *state) error {
	for _, a := range inv.args {
		if a.unknown() || (!paths.IsAbs(a.text) && !strings.HasPrefix(a.text, "..")) {
			continue
		}
		if err := w.checkRemove(a, s, "removal of what is listed"); err != nil {
			return err
		}
	}
	return nil
}

// dataArguments are the positions that hold text and no path: patterns,
// messages, scripts (which are read elsewhere).
func dataArguments(inv invocation) map[int]bool {
	skip := map[int]bool{}
	valueOf := textOptions[inv.name]
	first := firstIsText[inv.name]
	for i := 0; i < len(inv.args); i++ {
		arg := inv.args[i].text
		if slices.Contains(valueOf, arg) && i+1 < len(inv.args) {
			skip[i+1] = true
			i++
			first = first && inv.name == "git"
			continue
		}
		if first && !strings.HasPrefix(arg, "-") {
			skip[i] = true
			first = false
		}
	}
	return skip
}

func (w *walker) neverWritten(v value, s *state) bool {
	text := v.text
	if at := strings.IndexByte(text, '='); at >= 0 {
		text = text[at+1:]
	}
	v.pattern = text
	places, _ := w.places(v, s)
	for _, place := range places {
		if paths.NeverWritten(place) {
			return true
		}
	}
	return false
}
