package redact

import "strings"

// Private keys in PEM: with their markers, with a prefix before each line,
// escaped onto one line, or with one marker missing.

const (
	pemDashes  = "-----"
	pemPrivate = "PRIVATE KEY"
	pemStatic  = "OpenVPN Static key V1"
)

// marker reads a PEM marker such as "-----BEGIN RSA PRIVATE KEY-----" at i. It
// returns the marker's end, or 0 if there is none. word is BEGIN or END.
func (f *finder) marker(i int, word string) int {
	text := f.text
	j := i
	for j < len(text) && text[j] == '-' {
		j++
	}
	if j-i < 4 {
		return 0
	}
	j = skipBlank(text, j)
	if !f.hasAt(j, word) {
		return 0
	}
	line := text[j:min(len(text), j+80)]
	k, label := strings.Index(line, pemPrivate), len(pemPrivate)
	if k < 0 {
		k, label = strings.Index(line, pemStatic), len(pemStatic)
	}
	if k < 0 || strings.ContainsAny(line[:k], "\r\n-\"\\") {
		return 0
	}
	j += k + label
	if f.hasAt(j, " BLOCK") {
		j += len(" BLOCK")
	}
	j = skipBlank(text, j)
	dashes := j
	for j < len(text) && text[j] == '-' {
		j++
	}
	if j-dashes < 3 {
		return 0
	}
	return j
}

// pemAt hides a private key whose BEGIN marker is at i, or whose END marker is at
// i without a BEGIN before it. It returns where to continue.
func (f *finder) pemAt(i int) int {
	if i > 0 && f.text[i-1] == '-' {
		return 0
	}
	if body := f.marker(i, "BEGIN"); body > 0 {
		return f.pemFrom(i, body)
	}
	if end := f.marker(i, "END"); end > 0 {
		if start := f.pemBodyBefore(i); start < i {
			f.add(start, end, kindPrivateKey, rankPEM)
		}
		f.pemDone = end
		return end
	}
	return 0
}

// pemFrom hides from the BEGIN marker at i, which ends at body, to the END marker
// or, without one, to the end of the body.
func (f *finder) pemFrom(i, body int) int {
	if end := f.pemEnd(body); end > 0 {
		f.add(i, end, kindPrivateKey, rankPEM)
		return end
	}
	return body
}

// A body consists of runs of base64 with little between them. maxPEMGap limits
// what may be between two long runs, and minPEMRun is the minimum length of a
// long run.
const (
	maxPEMGap = 160
	minPEMRun = 24
)

// maxLineMark is how many letters and digits, such as a line number or a tag, may
// be between two lines of a key without an END marker.
const maxLineMark = 8

// pemEnd follows a PEM body that begins at i. It returns the end of its END
// marker, or of its last long run, or 0 if there is no body.
func (f *finder) pemEnd(i int) int {
	text := f.text
	last, lines := 0, 0
	gap, broken := 0, false // letters and digits since the last long run, and whether there were too many
	limit := i + maxPEMGap
	for j := i; j < len(text) && j < limit; {
		b := text[j]
		if b == '-' {
			if end := f.marker(j, "END"); end > 0 {
				return f.closedPEM(i, j, end, lines)
			}
			if f.marker(j, "BEGIN") > 0 {
				break
			}
			for j < len(text) && text[j] == '-' {
				j++
			}
			continue
		}
		if !isAlnum(b) && b != '+' && b != '/' {
			j++
			continue
		}
		end := f.runEnd(alnumSlash, j)
		if end-j < minPEMRun {
			gap += end - j
			j = end
			continue
		}
		broken = broken || lines > 0 && (gap > maxLineMark || wordy(text[j:end]))
		lines++
		limit = end + maxPEMGap
		if !broken {
			last = end
		}
		gap, j = 0, end
	}
	if lines == 0 {
		return 0
	}
	return f.lastPEMLine(last)
}

// lastPEMLine returns the end of a key without an END marker whose last long run
// ends at i. A shorter line with padding after it is the rest of the key.
func (f *finder) lastPEMLine(i int) int {
	text := f.text
	if end := padding(text, i); end > i {
		return end
	}
	j := i
	for j < len(text) && j-i < maxGap && !isAlnum(text[j]) && text[j] != '+' && text[j] != '/' {
		j++
	}
	if strings.IndexByte(text[i:j], '\n') < 0 {
		return i
	}
	run := f.runEnd(alnumSlash, j)
	if end := padding(text, run); end > run && run-j < minPEMRun {
		return end
	}
	return i
}

// closedPEM judges the text between two markers. If it has no long line, it is a
// key only if it consists of a short body. Prose and code that mention the
// markers are not hidden.
func (f *finder) closedPEM(body, marker, end, lines int) int {
	if lines > 0 {
		return end
	}
	between := f.text[body:marker]
	words, n := 0, 0
	for i := range len(between) {
		switch b := between[i]; {
		case isAlnum(b) || b == '/' || b == '+' || b == '=':
			if i == 0 || !isAlnum(between[i-1]) {
				words++
			}
			n++
		case b == '(' || b == ')' || b == '{' || b == ':' || b == ';' || b == '_' || b == '%':
			return 0
		}
	}
	if n == 0 && !strings.Contains(between, "...") || words > 6 {
		return 0
	}
	return end
}

// pemBodyBefore returns the beginning of the base64 lines that end immediately
// before the END marker at i, or i if there are none. It does not go back beyond
// the previous marker, so that many markers cost no more than one.
func (f *finder) pemBodyBefore(i int) int {
	text := f.text
	start, gap := i, 0
	for j := i; j > f.pemDone && gap < maxPEMGap; {
		b := text[j-1]
		if !isAlnum(b) && b != '+' && b != '/' {
			j--
			gap++
			continue
		}
		end := j
		for j > f.pemDone && (isAlnum(text[j-1]) || text[j-1] == '+' || text[j-1] == '/') {
			j--
		}
		if end-j >= minPEMRun {
			start, gap = j, 0
		} else {
			gap += end - j
		}
	}
	return start
}

func skipBlank(text string, i int) int {
	for i < len(text) && isBlank(text[i]) {
		i++
	}
	return i
}
