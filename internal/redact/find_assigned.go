package redact

import "strings"

// Limits for the length of a random value that is assigned to the name of a
// service. Longer values are data.
const (
	minAssigned = 16
	maxAssigned = 400
)

// assignAt looks at the = or : at i. It hides a random value after it if the name
// before it is that of a service. It returns where to continue.
func (f *finder) assignAt(i int) int {
	text := f.text
	j, quoted := f.assignedAt(i + 1)
	if j >= len(text) || !isAlnum(text[j]) {
		return i
	}
	end := f.paddedEnd(j)
	if end-j < minAssigned || end == f.assigned {
		return i
	}
	f.assigned = end
	if end-j > maxAssigned || !generated(text[j:end]) || isProse64(text[j:end]) || isLicence(text[j:end]) || f.innocent(text[j:end], j, end) {
		return i
	}
	k := i
	for k > 0 && (isBlank(text[k-1]) || isQuote(text[k-1]) || text[k-1] == ':' || text[k-1] == '\\') {
		k--
	}
	start, stop := f.nameAround(k)
	if stop > k {
		stop = k
	}
	if _, after := f.lineAround(j, end); isHex(text[j]) && saysHash(after) {
		return i
	}
	if isPlainID(text[j:end]) {
		if namesID(text[start:stop]) && !isCredentialID(text[start:stop]) || isValueName(text[start:stop]) {
			return i
		}
	}
	if isEncodedData(text[j:end]) {
		return i
	}
	known := suggestsKey(text[start:stop]) || isCredentialID(text[start:stop]) && !isUUID(text[j:end]) && !isHashLength(end-j) && !isKeyID(text[start:stop], text[j:end])
	if !known && (!f.standsAlone(quoted, start, end) || !opaque(text[j:end]) || knownHarmless(text[start:stop])) {
		return i
	}
	f.add(j, end, kindSecret, rankNear)
	return end
}

// assignedAt returns where the value begins after the first sign of an operator,
// and whether it is quoted.
func (f *finder) assignedAt(i int) (_ int, quoted bool) {
	j := skipBlank(f.text, i)
	if j < len(f.text) && (f.text[j] == '>' || f.text[j] == '=') {
		j = skipBlank(f.text, j+1)
	}
	if j < len(f.text) && isQuote(f.text[j]) {
		return j + 1, true
	}
	return j, false
}

// standsAlone reports whether a value that ends at end is a whole string, or
// everything that its line assigns to the name at start.
func (f *finder) standsAlone(quoted bool, start, end int) bool {
	if quoted {
		return end < len(f.text) && isQuote(f.text[end])
	}
	return endsLine(f.text, end) && strings.TrimLeft(f.text[lineStart(f.text, start):start], " \t-") == ""
}

// opaque reports whether s is a long random value of letters and digits, like a
// key. Hex must have exactly 32 digits, since commits and checksums have 40 and 64.
func opaque(s string) bool {
	sh := shapeOf(s)
	if sh.hex {
		return len(s) == 32 && sh.hexRun()
	}
	return len(s) >= 24 && len(s) <= maxAssigned && sh.digits >= 2 && sh.uppers > 0 && sh.lowers > 0 && sh.switches*3 >= sh.n && sh.quarters() >= 20 && sh.steps*2 < sh.n
}

// isCredentialID reports whether a name is that of an id which belongs to a
// secret, such as client_id.
func isCredentialID(s string) bool {
	if len(s) > maxName {
		return false
	}
	var w words
	w.split(s)
	if w.count < 2 {
		return false
	}
	last, prev := w.part(w.count-1), w.part(w.count-2)
	return (last == "id" || last == "sid") && oneOf(prev, []string{"client", "access", "account", "app", "application", "consumer", "key"})
}

// isKeyID reports whether name and s are the id of a PGP key, which has 16 hex
// digits.
func isKeyID(name, s string) bool {
	return len(s) == 16 && shapeOf(s).hex && len(name) >= len("keyid") && (hasFold(name, len(name)-len("key_id"), "key_id") || hasFold(name, len(name)-len("keyid"), "keyid"))
}

// namesID reports whether a name is that of an id or of a digest.
func namesID(s string) bool {
	if knownHarmless(s) {
		return true
	}
	var w words
	w.split(s)
	return w.count > 0 && isIDWord(w.part(w.count-1))
}

// knownHarmless reports whether names like this one hold hashes and data.
func knownHarmless(s string) bool {
	if s == "" || len(s) > maxName {
		return true
	}
	var w words
	w.split(s)
	for i := range w.count {
		if isHarmlessWord(w.part(i)) {
			return true
		}
	}
	return false
}
