package redact

// The words that occur in names. Each list is a switch, which the compiler turns
// into a search by length and content: names are judged so often that a linear
// search would be noticeable.

// isAspect reports whether s, after the keyword of a name, means that the value
// is about a secret but is not one: password_file, token_type.
func isAspect(s string) bool {
	switch s {
	case "file", "files", "filename", "path", "paths", "dir", "directory", "folder", "url", "uri", "urls", "endpoint", "host", "port", "name", "names",
		"type", "types", "kind", "length", "len", "size", "count", "limit", "limits", "policy", "field", "fields", "label", "input", "hint", "placeholder",
		"error", "errors", "err", "expiry", "expires", "expiration", "expire", "expired", "ttl", "timeout", "age", "min", "max", "regex", "regexp",
		"pattern", "format", "algo", "algorithm", "id", "ids", "uuid", "arn", "index", "idx", "num", "number", "info", "manager", "provider", "store",
		"storage", "service", "class", "handler", "func", "function", "source", "version", "required", "enabled", "disabled", "exists", "valid", "invalid",
		"validator", "reset", "change", "changed", "header", "param", "params", "parameter", "prefix", "suffix", "column", "list", "map", "ring", "event",
		"down", "up", "press", "space", "frame", "chain", "pair", "ref", "refs", "reference", "generator", "parser", "reader", "writer", "stream", "bucket",
		"cache", "usage", "budget", "position", "pos", "offset", "range", "ranges", "start", "end", "kid", "issuer", "audience", "scope", "scopes", "method",
		"mode", "status", "state", "strength", "rotation", "date", "time", "at", "by", "protected", "redacted", "template", "schema", "message", "msg",
		"description", "desc", "title", "text2", "fingerprint", "checksum", "sha1", "sha256", "md5", "digest", "thumbprint", "iterations", "rounds",
		"sock", "socket", "with", "zip", "tar", "gz", "tgz", "every", "through", "thru", "encryption", "stdin", "usages", "sizes", "ops", "uses", "comment", "example", "exception", "encoding", "spec", "warning", "warnings", "result", "results":
		return true
	}
	return false
}

// isOtherKey does the same for a word before the keyword: primary_key,
// max_tokens.
func isOtherKey(s string) bool {
	switch s {
	case "num", "max", "min", "total", "public", "pk", "primary", "foreign", "sort", "partition", "cache", "idempotency", "dedup", "deduplication", "row",
		"map", "shift", "ctrl", "alt", "arrow", "routing", "hash", "object", "group", "lookup", "translation", "i18n", "sum", "checksum", "registry",
		"count", "next", "page", "pagination", "continuation", "prev", "previous", "cancellation", "cancel", "hot", "function", "composite", "unique",
		"index", "partial", "bypass", "disabled", "ask", "without", "recv", "gpg", "pgp", "rowversion", "concurrency", "span", "trace":
		return true
	}
	return false
}

// isStrongKey reports whether s before "key" denotes a key that must stay secret.
func isStrongKey(s string) bool {
	switch s {
	case "private", "secret", "signing", "encryption", "encrypt", "decryption", "master", "validation", "preshared", "psk", "hmac", "crypt", "cipher", "aes",
		"priv", "wif", "recovery":
		return true
	}
	return false
}

// isMiddlingKey reports whether s before "key" denotes a key similar to an API
// key.
func isMiddlingKey(s string) bool {
	switch s {
	case "api", "access", "auth", "account", "shared", "storage", "service", "client", "app", "application", "consumer", "subscription", "license", "admin",
		"deploy", "integration", "authorization", "user", "session", "security", "write", "read", "ingest", "ingestion", "instrumentation", "insert",
		"project", "server", "rest", "host", "management", "developer", "dev", "sdk", "webhook", "primary", "secondary", "root", "ssh", "x", "sas",
		"rapidapi", "search", "live", "prod", "production", "test", "sandbox", "private":
		return true
	}
	return false
}

// isAccessWord reports whether s, in the name of a random value, says that the
// value grants access.
func isAccessWord(s string) bool {
	switch s {
	case "api", "access", "oauth", "license", "licence", "hook", "webhook", "bot", "verifier", "appid", "wif":
		return true
	}
	return false
}

// isParserWord reports whether s is used before "token" in the context of
// parsers.
func isParserWord(s string) bool {
	switch s {
	case "unexpected", "unrecognised", "Unexpected", "Unrecognised", "syntax", "lexical":
		return true
	}
	return false
}

// isArticle reports whether s before a name says nothing about it.
func isArticle(s string) bool {
	switch s {
	case "the", "a", "an", "of", "and", "or", "to", "my", "your", "our", "its", "this", "that", "new", "old", "with", "for":
		return true
	}
	return false
}

// isPublicWord reports whether s before "key" denotes a public key.
func isPublicWord(s string) bool {
	switch s {
	case "public", "Public", "PUBLIC", "verification", "primary", "foreign", "sort", "cache", "partition", "shift", "hot":
		return true
	}
	return false
}

// isStandInWord reports whether s, without separators, is a word that people
// write instead of a secret.
func isStandInWord(s string) bool {
	switch s {
	case "password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey", "credentials", "credential", "accesstoken",
		"authtoken", "none", "null", "nil", "undefined", "true", "false", "string", "str", "text", "todo", "tbd", "empty", "required", "optional",
		"redacted", "hidden", "example", "placeholder", "value", "default", "unknown", "bool", "boolean", "bytes", "number", "object", "integer", "varchar",
		"yes", "no", "missing", "invalid", "username", "user", "key", "pwd", "pass", "any", "void", "char", "byte", "interface", "prompt", "removed",
		"omitted", "masked", "censored", "filtered", "protected", "sensitive":
		return true
	}
	return false
}

// isIDWord reports whether s, at the end of a name, says what kind of thing the
// following id identifies.
func isIDWord(s string) bool {
	switch s {
	case "session", "conversation", "task", "job", "run", "lease", "lock", "tenant", "subscription", "user", "device", "node", "machine", "container",
		"pod", "volume", "snapshot", "order", "invoice", "transaction", "txn", "parent", "event", "object", "entity", "message", "thread", "worker",
		"release", "deployment", "pipeline", "project", "org", "organization", "workspace", "team", "group", "account", "customer", "head", "base",
		"tree", "blob", "ref", "branch", "merge", "rid", "reqid", "traceparent", "item", "row", "record", "doc", "document", "page":
		return true
	}
	return false
}

// isHarmlessWord reports whether s is a name for hashes and data.
func isHarmlessWord(s string) bool {
	switch s {
	case "hash", "integrity", "etag", "checksum", "sum", "sig", "signature", "digest", "version", "rev", "revision", "commit", "sha", "sha1", "sha256",
		"sha384", "sha512", "md5", "public", "pub", "cert", "certificate", "name", "asm", "charset", "alphabet", "encode", "encoding", "nonce", "iv", "id",
		"uuid", "fingerprint", "image", "png", "src", "href", "url", "path", "file", "tag", "module", "package", "build", "type", "expected", "want", "got",
		"trace", "span", "request", "correlation", "match", "modified", "etags", "buildid", "jti", "kid", "cursor", "ciphertext", "plaintext", "cipher", "input", "output", "in", "out", "accept", "gz", "zip", "base64", "b64", "body", "blob", "binary", "payload", "encrypted", "encoded", "compressed", "requestid", "examples", "thumbprint", "timestamp", "verification", "bytes", "pkg", "msi", "tar", "exe", "deb", "accumulated", "ct", "aad", "msg":
		return true
	}
	return false
}
