package redact

// minAssigned is the length from which a random value that is assigned to a
// service's name is a secret.
const minAssigned = 16

// assignAt looks at the = or : at i: where a random value follows and the
// name before it is a service's, the value goes. It returns where to go on.
func (f *finder) assignAt(i int) int {
	text := f.text
	j := skipBlank(text, i+1)
	if j < len(text) && (text[j] == '>' || text[j] == '=') {
		j = skipBlank(text, j+1)
	}
	if j < len(text) && isQuote(text[j]) {
		j++
	}
	if j >= len(text) || !isAlnum(text[j]) {
		return i
	}
	end := f.runEnd(base64Run, j)
	if end-j < minAssigned || !generated(text[j:end]) || f.hashBefore(j) {
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
	if !isService(text[start:stop]) {
		return i
	}
	f.add(j, end, kindSecret, rankNear)
	return end
}
