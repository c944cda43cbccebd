package shell

import (
	"path"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// mountInCluster returns the mount after -v, which may be part of a cluster such
// as -itv or have its value attached. Singularity uses -B.
func mountInCluster(inv invocation, i int) (string, bool) {
	arg := inv.args[i].text
	letter := "v"
	switch inv.name {
	case "singularity", "apptainer":
		letter = "B"
	case "kubectl", "oc":
		return "", false
	}
	at := strings.Index(arg, letter)
	if len(arg) < 2 || arg[0] != '-' || arg[1] == '-' || at < 1 || at > 6 || strings.ContainsAny(arg[1:at], "=/:.") {
		return "", false
	}
	attached := strings.TrimPrefix(arg[at+1:], "=")
	if attached != "" {
		return attached, strings.ContainsAny(attached, "/:~.$"+string(unknownMark))
	}
	if i+1 < len(inv.args) {
		return inv.args[i+1].text, true
	}
	return "", false
}

// mountOf checks the host's side of a bind mount.
func (w *walker) mountOf(spec string, s *state) error {
	source, _, _ := strings.Cut(spec, ":")
	for field := range strings.SplitSeq(strings.ReplaceAll(spec, `"`, ""), ",") {
		name, value, _ := strings.Cut(field, "=")
		if name == "source" || name == "src" {
			source = value
		}
	}
	v := literal(w.world.Untilde(source))
	if !paths.IsAbs(v.text) && !strings.HasPrefix(v.text, ".") && !strings.ContainsRune(v.text, unknownMark) {
		return nil // a named volume
	}
	if v.unknown() && strings.IndexByte(v.text, '\x00') == 0 {
		return verdict.Refuse(verdict.UnknownTarget, "the source of the mount is not known before the command runs: write it literally")
	}
	places, ok := w.places(v, s)
	if !ok {
		return verdict.Refuse(verdict.UnknownTarget, "the source of the mount is not known before the command runs: write an absolute path")
	}
	for _, place := range places {
		if w.inProject(place) {
			continue
		}
		if w.isSecret(place) || w.world.Secrets.Below(place) || w.unwritable(place) != nil || paths.Within(w.world.Workspace.Lexical, place) || len(paths.Components(path.Clean(place))) == 1 {
			return verdict.Refuse(verdict.HostContainer, "mounting the host's own folders into a container is refused: mount a folder of the workspace")
		}
	}
	return nil
}
