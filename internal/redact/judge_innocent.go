package redact

import "strings"

// Random values near a keyword that are known not to be secrets, because of their
// form or the text around them.

// innocent reports whether s, the run from start to end, is such a value.
func (f *finder) innocent(s string, start, end int) bool {
	return isNamingID(s) || isTypeName(s) || isPublicKey(s) || isDigest(s) || isSealed(s) || isMaskedToken(s) ||
		f.isData(start) || f.isCiphertext(start) || f.hashBefore(start) || f.pathAround(start, end) || f.publicMember(start)
}

// isNamingID reports whether s is an identifier, judging by the text next to its
// random part.
func isNamingID(s string) bool {
	return isRecordID(s) || isResourceID(s) || isPathTail(s) || isCacheKey(s) || isGeneratedName(s)
}

// isResourceID reports whether s is the id of a cloud resource: its type in a few
// small letters, a hyphen and 8, 16 or 17 hex digits, as in vpc-0a9cbadb….
func isResourceID(s string) bool {
	k := strings.IndexByte(s, '-')
	if k < 1 || k > 12 || !isPlainWord(s[:k]) {
		return false
	}
	n := len(s) - k - 1
	return (n == 8 || n == 16 || n == 17) && shapeOf(s[k+1:]).hex
}

// isMaskedToken reports whether s is the prefix of a token followed by characters
// that replace the rest: glpat-XXXXXXXXXXXXXXXXXXXX.
func isMaskedToken(s string) bool {
	k := strings.LastIndexAny(s, "-_") + 1
	return len(s)-k >= 8 && masked(s[k:])
}

// isPathTail reports whether s is words and an id joined by slashes, as in
// key/3f8a….
func isPathTail(s string) bool {
	k := strings.LastIndexByte(s, '/')
	return k > 0 && len(s)-k > 7 && isPlainID(s[k+1:]) && wordy(s[:k])
}

// isGeneratedName reports whether s is the name of an object in a cluster, such
// as web-7d4b9c6f5d-x2x9z, all parts of which are too short for a secret.
func isGeneratedName(s string) bool {
	s = s[strings.LastIndexByte(s, '/')+1:]
	if k := strings.IndexByte(s, '-'); k < 2 || !isPlainWord(s[:k]) || !isLowerName(s) {
		return false
	}
	for s != "" {
		k := strings.IndexAny(s, "-.")
		if k < 0 {
			k = len(s)
		}
		if k >= minContext {
			return false
		}
		s = s[min(len(s), k+1):]
	}
	return true
}

// isCiphertext reports whether the value at start is part of a value that SOPS
// encrypted: ENC[AES256_GCM,data:…,iv:…,tag:…].
func (f *finder) isCiphertext(start int) bool {
	if !f.hasAt(start-len("data:"), "data:") && !f.hasAt(start-len(",iv:"), ",iv:") && !f.hasAt(start-len(",tag:"), ",tag:") {
		return false
	}
	head := f.text[max(0, start-maxCiphertext):start]
	k := strings.LastIndex(head, "ENC[")
	return k >= 0 && strings.IndexByte(head[k:], ']') < 0
}

// maxCiphertext is how far before one of its parts such a value may begin, in
// bytes.
const maxCiphertext = 600

// isRecordID reports whether s is an id that begins with its type, as in
// conv_3f8a…, evt_1NG8…. Such ids are not secret.
func isRecordID(s string) bool {
	k := strings.IndexByte(s, '_')
	return k >= 2 && k <= 12 && isPlainWord(s[:k]) && !oneOf(s[:k], []string{"key", "token", "secret", "sk", "pat", "api", "tok"})
}

// isData reports whether the value at start is the content of a data: URL, a part
// of a decentralised identifier, the id of an app or of a request, or the public
// key of a WireGuard peer.
func (f *finder) isData(start int) bool {
	if start > 5 && f.text[start-1] == ':' && isAlpha(f.text[start-2]) {
		for _, app := range [...]string{":web:", ":ios:", ":android:"} { // a Firebase app
			if strings.HasSuffix(f.text[:start], app) {
				return true
			}
		}
	}
	return strings.HasSuffix(f.text[:start], ";base64,") || strings.HasSuffix(f.text[:start], "amz-id-2: ") || strings.HasSuffix(f.text[:start], "code_challenge=") || strings.HasSuffix(f.text[:start], "peer: ") || strings.HasSuffix(f.text[:start], ": peer ") || strings.HasSuffix(f.text[:start], "did:plc:") || strings.HasSuffix(f.text[:start], "did:key:")
}

// publicMembers are the public members of a JSON web key (RFC 7518).
var publicMembers = []string{"n", "e", "x", "y", "kid", "x5t"}

// keyReach is how far a member of a JSON web key may be from the key's type, in
// bytes.
const keyReach = 4096

// publicMember reports whether the string at start is a public member of a JSON
// web key.
func (f *finder) publicMember(start int) bool {
	text := f.text
	head := strings.TrimRight(text[max(0, start-8):start], " \t\"'\\:=")
	k := len(head)
	for k > 0 && isIdent(head[k-1]) {
		k--
	}
	return oneOf(head[k:], publicMembers) && holdsJWK(text[max(0, start-keyReach):min(len(text), start+keyReach)])
}

// holdsJWK reports whether s contains the type of a JSON web key, or the name of
// a set of keys.
func holdsJWK(s string) bool {
	return strings.Contains(s, "kty") || strings.Contains(s, "jwks") || strings.Contains(s, "JWKS")
}

// isDigest reports whether s is a digest after the name of its algorithm, as in
// integrity="sha384-…".
func isDigest(s string) bool {
	for _, p := range [...]string{"sha1", "sha224", "sha256", "sha384", "sha512", "md5", "blake2b", "blake3", "h1"} {
		if hasFold(s, 0, p) && len(s) > len(p)+1 && (s[len(p)] == '-' || s[len(p)] == ':') {
			return true
		}
	}
	return false
}

// hashBefore reports whether the words immediately before i say that a hash, a
// commit or a public key follows.
func (f *finder) hashBefore(i int) bool {
	head := f.text[max(0, i-80):i]
	if k := strings.LastIndexByte(head, '\n'); k >= 0 {
		head = head[k+1:]
	}
	return saysHash(head)
}

// hashWords are words that refer to hashes and public keys, by their first
// letter.
var hashWords = [256][]string{
	'i': {"integrity"},
	's': {"sha"},
	'h': {"hash", "h1:"},
	'c': {"checksum", "checkout", "commit", "cert"},
	'd': {"digest", "dek-info"},
	'f': {"fingerprint"},
	'm': {"md5"},
	'p': {"public"},
	'r': {"revision"},
	'v': {"verification="},
}

// saysHash reports whether s contains a word that refers to hashes or public
// keys.
func saysHash(s string) bool {
	for k := 0; k+3 <= len(s); k++ {
		for _, word := range hashWords[lower(s[k])] {
			if hasFold(s, k, word) {
				return true
			}
		}
	}
	return false
}

// pathAround reports whether the run is part of a path, a file name or a call.
func (f *finder) pathAround(start, end int) bool {
	text := f.text
	if start > 0 && (text[start-1] == '/' || text[start-1] == '\\' || text[start-1] == '@' || text[start-1] == '.' || text[start-1] == '_' || text[start-1] == '#') {
		return true
	}
	return end < len(text) && (text[end] == '(' || text[end] == '/' || text[end] == '.' && end+1 < len(text) && isAlnum(text[end+1]))
}
