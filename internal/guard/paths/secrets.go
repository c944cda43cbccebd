package paths

import (
	"strings"
)

// secretHome are secrets below any home folder. A row covers everything below its
// path. Names are compared without regard to case.
var secretHome = []struct{ path, why string }{
	{".ssh", "private keys"},
	{".aws", "cloud credentials"},
	{".azure", "cloud credentials"},
	{".config/gcloud", "cloud credentials"},
	{".gnupg", "private keys"},
	{".kube", "cluster credentials"},
	{".netrc", "passwords"},
	{".npmrc", "registry token"},
	{".yarnrc.yml", "registry token"},
	{".pypirc", "registry token"},
	{".cargo/credentials", "registry token"},
	{".cargo/credentials.toml", "registry token"},
	{".gem/credentials", "registry token"},
	{".docker/config.json", "registry token"},
	{".config/gh", "GitHub token"},
	{".config/glab-cli", "GitLab token"},
	{".config/hub", "GitHub token"},
	{".git-credentials", "passwords"},
	{".config/git/credentials", "passwords"},
	{".password-store", "passwords"},
	{".vault-token", "token"},
	{".local/share/keyrings", "passwords"},
	{".pgpass", "passwords"},
	{".my.cnf", "passwords"},
	{".terraform.d/credentials.tfrc.json", "token"},
	{".bash_history", "shell history"},
	{".zsh_history", "shell history"},
	{".zhistory", "shell history"},
	{".sh_history", "shell history"},
	{".ash_history", "shell history"},
	{".ksh_history", "shell history"},
	{".histfile", "shell history"},
	{".local/share/fish/fish_history", "shell history"},
	{".python_history", "shell history"},
	{".node_repl_history", "shell history"},
	{".psql_history", "shell history"},
	{".mysql_history", "shell history"},
	{".sqlite_history", "shell history"},
	{".rediscli_history", "shell history"},
	{".lesshst", "shell history"},
	{".viminfo", "shell history"},
	{".claude.json", "agent credentials"},
	{".claude/.credentials.json", "agent credentials"},
	{".codex/auth.json", "agent credentials"},
	{".gemini/oauth_creds.json", "agent credentials"},
	{".config/opencode/auth.json", "agent credentials"},
	{".local/share/opencode/auth.json", "agent credentials"},
	{".config/github-copilot", "agent credentials"},
	{".continue/config.json", "agent credentials"},
	{".aider.conf.yml", "agent credentials"},
	{".mozilla", "a browser's passwords and sessions"},
	{".thunderbird", "mail and its passwords"},
	{".config/google-chrome*", "a browser's passwords and sessions"},
	{".config/chromium", "a browser's passwords and sessions"},
	{".config/bravesoftware", "a browser's passwords and sessions"},
	{".config/microsoft-edge*", "a browser's passwords and sessions"},
	{".config/vivaldi", "a browser's passwords and sessions"},
	{".config/opera", "a browser's passwords and sessions"},
	{".var/app", "the data of desktop programs"},
	{"snap/firefox", "a browser's passwords and sessions"},
	{"library/keychains", "passwords"},
	{"library/cookies", "a browser's sessions"},
	{"library/application support/google/chrome", "a browser's passwords and sessions"},
	{"library/application support/firefox", "a browser's passwords and sessions"},
	{".config/signal", "messages and their key"},
	{".config/discord", "a token"},
	{".config/slack", "a token"},
	{".local/share/telegramdesktop", "messages and their key"},
	{".local/share/kwalletd", "passwords"},
	{".config/keepassxc", "passwords"},
	{".config/op", "a password manager"},
	{".config/bitwarden*", "a password manager"},
	{".config/1password", "a password manager"},
	{".bitcoin", "a wallet"},
	{".ethereum", "a wallet"},
	{".electrum", "a wallet"},
	{".monero", "a wallet"},
	{".config/solana", "a wallet"},
	{".config/rclone", "cloud credentials"},
	{".config/doctl", "cloud credentials"},
	{".config/hcloud", "cloud credentials"},
	{".config/containers/auth.json", "registry token"},
	{".s3cfg", "cloud credentials"},
	{".boto", "cloud credentials"},
	{".oci", "cloud credentials"},
	{".databrickscfg", "cloud credentials"},
	{".snowflake", "cloud credentials"},
	{".config/stripe", "token"},
	{".config/ngrok", "token"},
	{".ngrok2", "token"},
	{".cloudflared", "token"},
	{".fly", "token"},
	{".wrangler", "token"},
	{".config/netlify", "token"},
	{".local/share/com.vercel.cli", "token"},
	{".config/configstore", "tokens"},
	{".sentryclirc", "token"},
	{".kaggle", "token"},
	{".cache/huggingface/token", "token"},
	{".huggingface", "token"},
	{".config/sops", "private keys"},
	{".config/age", "private keys"},
	{".putty", "private keys"},
	{".subversion/auth", "passwords"},
	{".msmtprc", "passwords"},
	{".fetchmailrc", "passwords"},
	{".config/remmina", "passwords"},
	{".local/share/remmina", "passwords"},
	{".ansible/vault*", "passwords"},
	{".local/state/bridge", "the bridge's store and key"},
	{".config/bridge", "the bridge's configuration"},
	{".yolo_tokens.json", "the Python bridge's approvals"},
	{"yolo_audit.log", "the Python bridge's audit log"},
}

// secretSystem are secrets at fixed paths. In these, * stands for one component.
var secretSystem = []struct{ path, why string }{
	{"/etc/shadow", "password hashes"},
	{"/etc/shadow-", "password hashes"},
	{"/etc/gshadow", "password hashes"},
	{"/etc/gshadow-", "password hashes"},
	{"/etc/master.passwd", "password hashes"},
	{"/etc/security/opasswd", "password hashes"},
	{"/etc/sudoers", "privileges"},
	{"/etc/sudoers.d", "privileges"},
	{"/etc/ssl/private", "private keys"},
	{"/etc/krb5.keytab", "host keys"},
	{"/etc/networkmanager/system-connections", "passwords of networks"},
	{"/etc/wpa_supplicant", "passwords of networks"},
	{"/etc/wireguard", "private keys"},
	{"/etc/openvpn", "private keys"},
	{"/etc/ppp/*-secrets", "passwords"},
	{"/etc/ipsec.secrets", "passwords"},
	{"/etc/letsencrypt", "private keys"},
	{"/etc/pki/tls/private", "private keys"},
	{"/etc/kubernetes", "cluster credentials"},
	{"/etc/rancher", "cluster credentials"},
	{"/etc/mysql/debian.cnf", "passwords"},
	{"/etc/ssh/ssh_host_*_key", "host keys"},
	{"/tmp/claude_bridge_secure.db*", "the Python bridge's store"},
	{"/proc/*/environ", "another process's secrets"},
	{"/proc/*/mem", "memory"},
	{"/proc/*/fd", "another process's files"},
	{"/proc/*/fdinfo", "another process's files"},
	{"/proc/*/map_files", "another process's files"},
	{"/proc/*/root", "another process's files"},
	{"/proc/*/cwd", "another process's files"},
	{"/proc/*/task", "the same, for each thread"},
	{"/proc/kcore", "memory"},
	{"/proc/kmem", "memory"},
	{"/proc/sysrq-trigger", "the kernel's emergency switch"},
	{"/run/secrets", "container secrets"},
	{"/var/run/secrets", "container secrets"},
	{"/run/docker.sock", "control over the host"},
	{"/var/run/docker.sock", "control over the host"},
	{"/run/containerd", "control over the host"},
	{"/run/podman", "control over the host"},
}

// Secrets holds the tables as lower-case patterns, split into components.
type Secrets struct {
	home     []string
	patterns [][]string
	plain    []string
}

// NewSecrets returns the secrets of a machine with the given home folder and the
// bridge's own folders.
func NewSecrets(home string, stateDirs []string) Secrets {
	s := Secrets{home: Components(Fold(home))}
	for _, dir := range stateDirs {
		if IsAbs(dir) {
			s.plain = append(s.plain, Fold(Clean(dir)))
		}
	}
	s.patterns = systemPatterns
	return s
}

var (
	systemPatterns = compileSystemPatterns()
	homePatterns   = compileHomePatterns()
)

func compileSystemPatterns() [][]string {
	out := make([][]string, 0, len(secretSystem))
	for _, row := range secretSystem {
		out = append(out, Components(row.path))
	}
	return out
}

func compileHomePatterns() [][]string {
	out := make([][]string, 0, len(secretHome))
	for _, row := range secretHome {
		out = append(out, Components(row.path))
	}
	return out
}

// Has reports whether a cleaned absolute path is a secret or lies in one.
func (s Secrets) Has(name string) bool { return s.match(Fold(name), false) }

// Below reports whether some secret lies at or below a cleaned absolute path.
func (s Secrets) Below(name string) bool {
	name = Fold(name)
	if s.match(name, false) {
		return true
	}
	parts := Components(name)
	if name == "/" {
		return true
	}
	for _, dir := range s.plain {
		if Within(dir, name) {
			return true
		}
	}
	for _, pattern := range s.patterns {
		if len(pattern) > len(parts) && partsMatch(pattern[:len(parts)], parts) {
			return true
		}
	}
	return s.belowHome(parts)
}

func (s Secrets) belowHome(parts []string) bool {
	rest, ok := s.InHome(parts)
	if !ok {
		return Within("/"+strings.Join(s.home, "/"), "/"+strings.Join(parts, "/")) ||
			(len(parts) == 1 && (parts[0] == "home" || parts[0] == "users"))
	}
	for _, pattern := range homePatterns {
		if len(pattern) > len(rest) && partsMatch(pattern[:len(rest)], rest) {
			return true
		}
	}
	return false
}

// Glob reports whether a glob (cleaned, absolute) could match a secret.
func (s Secrets) Glob(pattern string) bool { return s.match(Fold(pattern), true) }

func (s Secrets) match(name string, isGlob bool) bool {
	for _, dir := range s.plain {
		if Within(name, dir) || (isGlob && globPrefix(Components(name), Components(dir))) {
			return true
		}
	}
	parts := Components(name)
	if parts[0] == "dev" {
		return isDevice(parts)
	}
	for _, pattern := range s.patterns {
		if pattern[0] != parts[0] && !isGlob {
			continue
		}
		if touches(pattern, parts, isGlob) {
			return true
		}
	}
	rest, ok := s.InHome(parts)
	if !ok {
		return false
	}
	for _, pattern := range homePatterns {
		if touches(pattern, rest, isGlob) {
			return true
		}
	}
	return false
}

// InHome removes a user's home folder, of whichever user, from the start of a
// path's components.
func (s Secrets) InHome(parts []string) ([]string, bool) {
	if n := len(s.home); len(parts) >= n && partsMatch(s.home, parts[:n]) {
		return parts[n:], true
	}
	switch {
	case len(parts) >= 2 && (parts[0] == "home" || parts[0] == "users"):
		return parts[2:], true
	case len(parts) >= 1 && parts[0] == "root":
		return parts[1:], true
	case len(parts) >= 2 && parts[0] == "var" && parts[1] == "root":
		return parts[2:], true
	}
	return nil, false
}

// touches reports whether the path (or glob) is the secret or lies below it.
func touches(secret, parts []string, isGlob bool) bool {
	if len(parts) < len(secret) {
		return false
	}
	head := parts[:len(secret)]
	return partsMatch(secret, head) || (isGlob && globPrefix(head, secret))
}

// partsMatch compares components; those of the first list are patterns.
func partsMatch(patterns, parts []string) bool {
	if len(patterns) != len(parts) {
		return false
	}
	for i, p := range patterns {
		if p != parts[i] && (!strings.Contains(p, "*") || !MatchComponent(p, parts[i])) {
			return false
		}
	}
	return true
}

// globPrefix reports whether a glob's leading components can match names that may
// themselves be patterns.
func globPrefix(glob, names []string) bool {
	if len(glob) < len(names) {
		return false
	}
	for i, name := range names {
		switch {
		case !strings.Contains(name, "*"):
			if !MatchComponent(glob[i], name) {
				return false
			}
		case !HasGlob(glob[i]):
			if !MatchComponent(name, UnescapeGlob(glob[i])) {
				return false
			}
		case !compatible(glob[i], name):
			return false
		}
	}
	return true
}

// compatible reports whether two patterns may match the same name, judging by the
// literal text before their first special character.
func compatible(a, b string) bool {
	a, b = a[:strings.IndexAny(a+"*", `*?[\`)], b[:strings.IndexAny(b+"*", `*?[\`)]
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

// isDevice treats every path below /dev as a secret except /dev/null. Package
// shell makes the exceptions for shared memory and pseudo devices that only yolo
// mode may use.
func isDevice(parts []string) bool {
	return len(parts) < 2 || parts[1] != "null" || len(parts) > 2
}
