package paths

import (
	"path"
	"strings"
)

// secretFileNames are files that contain passwords, tokens or private keys in
// whatever folder they are, including the workspace. Names are compared without
// regard to case.
var secretFileNames = map[string]string{
	".env": "passwords and tokens of an application", ".netrc": "passwords", "_netrc": "passwords", ".git-credentials": "passwords", ".pgpass": "passwords",
	".my.cnf": "passwords", ".htpasswd": "password hashes", ".pypirc": "registry token", ".vault-token": "token", ".vault-pass": "password", "master.key": "key of an application",
	"id_rsa": "private key", "id_dsa": "private key", "id_ecdsa": "private key", "id_ed25519": "private key", "id_ecdsa_sk": "private key", "id_ed25519_sk": "private key",
	"service-account.json": "cloud credentials", "kubeconfig": "cluster credentials", "terraform.tfstate": "passwords of services",
}

// secretFileEndings are file name endings of such files.
var secretFileEndings = []string{".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".p8", ".asc.key", ".tfvars"}

// secretFilePlaces are names that mark a secret file in one folder only.
var secretFilePlaces = map[string]string{ //nolint:gosec // names of files, and no credentials
	".aws/credentials": "cloud credentials", ".docker/config.json": "registry token", ".kube/config": "cluster credentials", ".config/gh/hosts.yml": "GitHub token",
	".cargo/credentials.toml": "registry token", ".cargo/credentials": "registry token", ".gem/credentials": "registry token",
}

// templateEndings mark files that show the structure of a secret file without its
// secrets.
var templateEndings = []string{".example", ".sample", ".template", ".tmpl", ".dist", ".defaults", ".schema", ".pub", ".md"}

// IsSecretFile reports whether a path, by its name alone, names a file that
// contains secrets, in whatever folder it is. Templates such as .env.example are
// not secret.
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

// GlobNamesSecretFile reports whether a glob is aimed at secret files: its last
// component has the ending of such a file, or matches the name of one by more
// than a star.
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

// SecretFileGlobs returns patterns for the same files, for programs that can
// exclude files from a tree they read. The patterns match the templates too.
func SecretFileGlobs() []string {
	return []string{
		".env*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "*.ppk", "*.tfvars",
		"id_rsa", "id_dsa", "id_e[cd]*", ".netrc", ".git-credentials", ".pgpass", ".pypirc", ".htpasswd",
	}
}
