package paths

import (
	"path"
	"strings"
)

// secretFileNames are files that hold passwords, tokens or private keys wherever
// they lie, the workspace included. Names are compared without case.
var secretFileNames = map[string]string{
	".env": "passwords and tokens of an application", ".netrc": "passwords", "_netrc": "passwords", ".git-credentials": "passwords", ".pgpass": "passwords",
	".my.cnf": "passwords", ".htpasswd": "password hashes", ".pypirc": "registry token", ".vault-token": "token", ".vault-pass": "password", "master.key": "key of an application",
	"id_rsa": "private key", "id_dsa": "private key", "id_ecdsa": "private key", "id_ed25519": "private key", "id_ecdsa_sk": "private key", "id_ed25519_sk": "private key",
	"service-account.json": "cloud credentials", "kubeconfig": "cluster credentials", "terraform.tfstate": "passwords of services",
}

// secretFileEndings are endings of such files.
var secretFileEndings = []string{".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".p8", ".asc.key", ".tfvars"}

// secretFilePlaces are names that are secret in one folder only.
var secretFilePlaces = map[string]string{ //nolint:gosec // names of files, and no credentials
	".aws/credentials": "cloud credentials", ".docker/config.json": "registry token", ".kube/config": "cluster credentials", ".config/gh/hosts.yml": "GitHub token",
	".cargo/credentials.toml": "registry token", ".cargo/credentials": "registry token", ".gem/credentials": "registry token",
}

// templateEndings mark files that show the shape of a secret file and hold no secret.
var templateEndings = []string{".example", ".sample", ".template", ".tmpl", ".dist", ".defaults", ".schema", ".pub", ".md"}

// IsSecretFile reports whether a path names a file that holds secrets by its
// name, wherever it lies. Templates such as .env.example do not.
func IsSecretFile(name string) bool {
	name = Fold(name)
	base := path.Base(name)
	for _, ending := range templateEndings {
		if strings.HasSuffix(base, ending) {
			return false
		}
	}
	if secretFileNames[base] != "" || strings.HasPrefix(base, ".env.") || (strings.HasSuffix(base, ".env") && base != ".env") {
		return true
	}
	for _, ending := range secretFileEndings {
		if strings.HasSuffix(base, ending) && base != "public"+ending {
			return true
		}
	}
	for place := range secretFilePlaces {
		if name == place || strings.HasSuffix(name, "/"+place) {
			return true
		}
	}
	return strings.HasPrefix(path.Base(path.Dir(name)), ".ssh")
}

// GlobNamesSecretFile reports whether a glob is meant for secret files: its last
// component ends like one, or matches one by more than a star.
func GlobNamesSecretFile(pattern string) bool {
	base := Fold(path.Base(pattern))
	for _, ending := range secretFileEndings {
		if strings.HasSuffix(base, ending) {
			return true
		}
	}
	if strings.Trim(base, "*?.[]!") == "" && !strings.HasPrefix(base, ".") {
		return false
	}
	for name := range secretFileNames {
		if MatchComponent(base, name) {
			return true
		}
	}
	return MatchComponent(base, ".env.local") && strings.HasPrefix(base, ".")
}

// SecretFileGlobs are patterns of the same files, for programs that can leave
// files out of a tree that they read. They also match the templates.
func SecretFileGlobs() []string {
	return []string{
		".env*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "*.ppk", "*.tfvars",
		"id_rsa", "id_dsa", "id_e[cd]*", ".netrc", ".git-credentials", ".pgpass", ".pypirc", ".htpasswd",
	}
}
