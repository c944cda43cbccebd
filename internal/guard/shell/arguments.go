package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// checkArguments refuses secrets, devices and protected paths among the arguments
// of any command.
func (w *walker) checkArguments(inv invocation, s *state) error {
	why := dataCommands()[inv.name]
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
		if contentReaders()[inv.name] != "" && w.isSecretFile(a, s) {
			return verdict.ErrSecretFile
		}
		if readers()[inv.name] == "" && !onlyReadsSources[inv.name] && !strings.HasPrefix(a.text, "-") && strings.IndexByte(a.text, '\n') < 0 {
			if w.neverWritten(a, s) {
				return verdict.Refuse(verdict.ProtectedPath, "%s configures git, an editor, a shell or an agent, and must not be changed", verdict.Short(a.text))
			}
		}
	}
	return nil
}

// onlyReadsSources are programs that write only their destination, for which
// there is a separate rule.
var onlyReadsSources = map[string]bool{"cp": true, "rsync": true, "scp": true}

// contentReaders print or send the content of their operands.
var contentReaders = expandNames([]struct{ names, why string }{
	{"cat head tail less more bat grep egrep fgrep rg ag ack zgrep awk gawk mawk nawk sed cut sort uniq nl tac rev column fold paste join strings xxd od hexdump base64 base32 diff cmp comm colordiff sdiff jq yq tr view pr fmt expand", "it prints the file"},
	{"curl wget nc ncat scp sftp rsync tar bsdtar zip 7z gzip xz zstd dd gpg age pbcopy xclip wl-copy openssl-base64 mail tee-in", "it copies or sends the file"},
})

// listsOutside refuses to list paths outside the project if a later stage of the
// pipeline removes what is listed.
func (w *walker) listsOutside(inv invocation, s *state) error {
	for _, a := range inv.args {
		if a.unknown() || (!paths.IsAbs(a.text) && !strings.HasPrefix(a.text, "..")) {
			continue
		}
		if err := w.checkRemove(a, s, "removal of listed files"); err != nil {
			return err
		}
	}
	return nil
}

// dataArguments returns the positions of arguments that are text and not paths:
// patterns, messages, and scripts (which are read elsewhere).
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

// globalOptions are the options with a value that may come before the subcommand,
// by program.
var globalOptions = map[string]string{
	"kubectl": kubeOptions, "oc": kubeOptions, "helm": kubeOptions,
	"docker": "-c --context -H --host --config -l --log-level --tlscacert --tlscert --tlskey",
	"podman": "-c --connection --url --identity --log-level --root --runroot --storage-driver --storage-opt --tmpdir",
	"aws":    "--profile --region --output --endpoint-url --query --color --ca-bundle --cli-read-timeout --cli-connect-timeout --cli-binary-format",
	"gcloud": "--project --account --configuration --format --verbosity --impersonate-service-account --billing-project --flags-file --access-token-file --filter",
	"az":     "--subscription --output -o --query", "gh": "-R --repo --hostname", "glab": "-R --repo",
	"vault": "-address -namespace -output-curl-string", "op": "--account --config --session --format", "doctl": "-t --access-token --context --config -c -o --output",
	"npm": "--prefix -C --workspace -w --userconfig --loglevel", "git": "-C -c --git-dir --work-tree --namespace --exec-path", "fly": "-a --app -c --config", "flyctl": "-a --app -c --config",
}

const kubeOptions = "-n --namespace --context --kube-context --kubeconfig --cluster --user -s --server --token --as --as-group --as-uid --cache-dir --certificate-authority --client-key --client-certificate --request-timeout -v --tls-server-name --profile --profile-output"

// fromSubcommand returns a program's arguments from its subcommand on.
func fromSubcommand(name string, args []value) []value {
	for len(args) > 0 && strings.HasPrefix(args[0].text, "-") {
		used := 1
		if has(globalOptions[name], args[0].text) {
			used = 2
		}
		args = args[min(used, len(args)):]
	}
	return args
}
