package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// secretPrinters are programs that print a stored password, token or private key.
// A row holds a program and groups of words: it is refused if its arguments
// contain a word of each group. An empty group is always met.
var secretPrinters = map[string][]string{
	"pass": {"show ls find grep git"}, "gopass": {"show cat"}, "secret-tool": {"lookup search"}, "keyctl": {"print read pipe"}, "security": {"find-generic-password find-internet-password dump-keychain export"},
	"op": {"read item document"}, "bw": {"get list export unlock"}, "lpass": {"show export"}, "rbw": {"get code"}, "gnome-keyring": {""}, "kwallet-query": {""},
	"gpg": {"--export-secret-keys --export-secret-key --export-secret-subkeys"}, "gpg2": {"--export-secret-keys --export-secret-key --export-secret-subkeys"},
	"gh": {"token -t --show-token"}, "glab": {"token -t --show-token"}, "gcloud": {"access print-access-token print-identity-token print-refresh-token"}, "az": {"get-access-token secret"},
	"aws": {"get-secret-value --with-decryption aws_secret_access_key aws_session_token get-session-token export-credentials"}, "vault": {"print read kv"}, "heroku": {"auth:token config config:get"}, "fly": {"token"}, "flyctl": {"token"}, "doctl": {"auth"},
	"git": {"credential credential-store credential-cache"}, "kubectl": {"--raw secret secrets token"}, "oc": {"--raw secret secrets token -t"}, "doppler": {"secrets"}, "chamber": {"read export"}, "vercel": {"env", "pull ls"}, "netlify": {"env:list env:get"},
	"sops": {"-d --decrypt decrypt exec-env"}, "ansible-vault": {"view decrypt edit"}, "keyring": {"get"}, "npm": {"token"}, "ssh-keygen": {"-y"},
}

// checkPrintsSecret refuses programs that print a stored secret.
func (w *walker) checkPrintsSecret(inv invocation) error {
	refusal := verdict.Refuse(verdict.SecretPath, "%s would print a password, a token or a key", verdict.Short(inv.name))
	if strings.HasPrefix(inv.name, "docker-credential-") || strings.HasPrefix(inv.name, "git-credential-") {
		return refusal
	}
	groups, ok := secretPrinters[inv.name]
	if !ok {
		return nil
	}
	args := fromSubcommand(inv.name, inv.args)
	for _, words := range groups {
		found := words == ""
		for i, a := range inv.args {
			if strings.HasPrefix(a.text, "-") && has(words, a.text) && i < len(inv.args)-len(args) {
				found = true
			}
		}
		for i, a := range args {
			if kind, _, _ := strings.Cut(a.text, "/"); i < 4 && (has(words, a.text) || has(words, kind) && strings.HasPrefix(kind, "secret")) {
				found = true
			}
		}
		if !found || (inv.name == "git" && verbIndex(args, words) != 0) {
			return nil
		}
	}
	return refusal
}
