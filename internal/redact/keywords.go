package redact

// keywords are the pieces of names that announce a secret, in small letters and
// sorted. They are found in any case and anywhere in a name; what the whole
// name means is decided by classify.
var keywords = [...]string{
	"auth", "basic", "bearer", "code", "connect", "contrase", "cookie", "cred", "csrf", "hmac", "identified", "jwt", "kennwort", "key", "login", "mdp", "mnemonic", "mot_de_passe", "mysqli", "pass", "pat", "psw", "pw", "salt", "sas", "secret", "secure", "seed", "senha", "sess", "sig", "ssws", "token", "totp", "xsrf",
}

// keywordAt reports whether a keyword stands at i.
func (f *finder) keywordAt(i int) bool {
	letter := (f.text[i] | 0x20) - 'a'
	if letter >= 26 {
		return false
	}
	for k := f.ix.keywords[letter]; k < f.ix.keywords[letter+1]; k++ {
		if hasFold(f.text, i, keywords[k]) {
			return true
		}
	}
	return false
}

// hasFold reports whether want, in small letters, stands at i in any case.
func hasFold(text string, i int, want string) bool {
	if i < 0 || len(text)-i < len(want) {
		return false
	}
	for k := range len(want) {
		if lower(text[i+k]) != want[k] {
			return false
		}
	}
	return true
}

// class says how much a name tells about its value.
type class uint8

const (
	classNone     class = iota
	classWeak           // key, auth, salt: the value must be long and random
	classMiddling       // token, API key: the value must not be made of words
	classStrong         // secret, private key: any value that is no placeholder
	classPassword       // password: as strong, and the value may be a short word
)

// Words within names. Each list is short and searched in order.
var (
	// notAfter turns a name that ends with it into one about a secret.
	notAfter = []string{
		"file", "files", "filename", "path", "paths", "dir", "directory", "folder", "url", "uri", "urls", "endpoint", "host", "port", "name", "names",
		"type", "types", "kind", "length", "len", "size", "count", "limit", "limits", "policy", "field", "fields", "label", "input", "hint",
		"placeholder", "error", "errors", "err", "expiry", "expires", "expiration", "expire", "expired", "ttl", "timeout", "age", "min", "max",
		"regex", "regexp", "pattern", "format", "algo", "algorithm", "id", "ids", "uuid", "arn", "index", "idx", "num", "number", "info", "manager",
		"provider", "store", "storage", "service", "class", "handler", "func", "function", "source", "version", "required", "enabled", "disabled", "exists",
		"valid", "invalid", "validator", "reset", "change", "changed", "header", "param", "params", "parameter", "prefix", "suffix",
		"column", "list", "map", "ring", "event", "down", "up", "press", "space", "frame", "chain", "pair", "ref", "refs", "reference", "generator",
		"parser", "reader", "writer", "stream", "bucket", "cache", "usage", "budget", "position", "pos", "offset", "range", "ranges", "start", "end",
		"kid", "issuer", "audience", "scope", "scopes", "method", "mode", "status", "state", "strength", "rotation", "date", "time", "at", "by",
		"protected", "redacted", "template", "schema", "message", "msg", "description", "desc", "title", "text2", "fingerprint", "checksum", "sha1", "sha256",
		"md5", "digest", "thumbprint", "iterations", "rounds", "usages", "sizes", "ops", "uses", "comment", "example", "exception", "encoding", "spec",
	}
	// notBefore does the same in front of the keyword.
	notBefore = []string{
		"num", "max", "min", "total", "public", "pk", "primary", "foreign", "sort", "partition", "cache", "idempotency", "dedup", "deduplication", "row", "map",
		"shift", "ctrl", "alt", "arrow", "routing", "hash", "object", "group",
		"lookup", "translation", "i18n", "sum", "checksum", "registry", "count", "next", "page", "pagination", "continuation", "prev", "previous", "cancellation", "cancel",
		"hot", "function", "composite", "unique", "index", "partial", "bypass", "rowversion", "concurrency", "span", "trace",
	}
	// keyStrong and keyMiddling are what may stand before "key".
	keyStrong   = []string{"private", "secret", "signing", "encryption", "encrypt", "decryption", "master", "validation", "preshared", "psk", "hmac", "crypt", "cipher", "aes", "priv", "wif", "recovery"}
	keyMiddling = []string{
		"api", "access", "auth", "account", "shared", "storage", "service", "client", "app", "application", "consumer", "subscription", "license", "admin",
		"deploy", "integration", "authorization", "user", "session", "security", "write", "read", "ingest", "ingestion", "instrumentation", "insert", "project", "server", "rest", "host", "management",
		"developer", "dev", "sdk", "webhook", "account", "primary", "secondary", "root", "ssh", "x", "sas", "rapidapi", "search", "live", "prod", "production", "test", "sandbox", "private",
	}
	notPass = []string{"bypass", "compass", "trespass", "surpass", "overpass", "underpass", "multipass", "encompass", "onepass", "twopass", "renderpass", "firstpass", "secondpass", "lastpass"}
)

func oneOf(s string, list []string) bool {
	for _, x := range list {
		if s == x {
			return true
		}
	}
	return false
}
