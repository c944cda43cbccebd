package redact

import "strings"

// Token formats whose signature is not at the beginning.

// dotAt looks for tokens of three parts at a dot: Discord's bot tokens, and API
// tokens of HCP Terraform.
func (f *finder) dotAt(i int) int {
	text := f.text
	if f.hasAt(i, ".atlasv1.") {
		start := f.runBack(alnum, i)
		end := f.runEnd(alnumDash, i+len(".atlasv1."))
		if i-start == 14 && end-i > 60 {
			f.add(start, end, kindToken, rankFormat)
			return end
		}
		return i
	}
	if end := f.twoParts(i); end > 0 {
		return end
	}
	if i+7 >= len(text) || text[i+7] != '.' {
		return i
	}
	start := f.runBack(alnumDash, i)
	end := f.runEnd(alnumDash, i+8)
	n := i - start
	if n < 23 || n > 28 || end-i-8 < 27 || end-i-8 > 40 || strings.IndexByte("MNO", text[start]) < 0 || f.runEnd(alnumDash, i+1) != i+7 {
		return i
	}
	f.add(start, end, kindToken, rankFormat)
	return end
}

// twoParts looks at a dot between two parts of known lengths: Airtable's tokens
// (pat and 14 characters, then 64 hex digits) and Zhipu's keys (32 hex digits,
// then 16 characters).
func (f *finder) twoParts(i int) int {
	start := f.runBack(alnum, i)
	end := f.runEnd(alnum, i+1)
	if start > 0 && (isIdent(f.text[start-1]) || f.text[start-1] == '.' || f.text[start-1] == '/') {
		return 0
	}
	left, right := f.text[start:i], f.text[i+1:end]
	switch {
	case len(left) == 17 && len(right) == 64 && strings.HasPrefix(left, "pat") && shapeOf(right).hex:
	case len(left) == 32 && len(right) == 16 && shapeOf(left).hexRun() && containsDigit(right) && shapeOf(right).random() && !shapeOf(right).hex:
	default:
		return 0
	}
	f.add(start, end, kindAPIKey, rankFormat)
	return end
}

// asanaAt looks at the colon of Asana's tokens: a digit, a slash, digits, a colon
// and 32 hex digits.
func (f *finder) asanaAt(i int) int {
	start := f.runBack(digit, i)
	end := f.runEnd(hexBody, i+1)
	if i-start < 10 || end-i-1 != 32 || start < 2 || f.text[start-1] != '/' || !isDigit(f.text[start-2]) {
		return i
	}
	start -= 2
	if start > 10 && f.text[start-1] != ' ' && isDigit(f.text[start-1]) { // 2/123/456:…
		start = f.runBack(digit, start)
		if start > 1 && f.text[start-1] == '/' {
			start -= 2
		}
	}
	f.add(start, end, kindToken, rankFormat)
	return end
}

// newRelicAt looks at the NRAL at the end of a New Relic licence key, after 36
// hex digits.
func (f *finder) newRelicAt(i int) int {
	start := f.runBack(hexBody, i)
	if !f.hasAt(i, "NRAL") || i-start != 36 || i+4 < len(f.text) && isIdent(f.text[i+4]) {
		return i
	}
	f.add(start, i+4, kindAPIKey, rankFormat)
	return i + 4
}

// convexAt looks at the bar in Convex deploy keys: prod:name|eyJ….
func (f *finder) convexAt(i int) int {
	start := i
	for start > 0 && i-start < 64 && (isAlnum(f.text[start-1]) || f.text[start-1] == '-' || f.text[start-1] == ':') {
		start--
	}
	end := f.runEnd(base64Body, i+1)
	head := f.text[start:i]
	k := strings.IndexByte(head, ':')
	if end-i < 40 || k < 0 || !oneOf(head[:k], []string{"prod", "dev", "preview", "project"}) {
		return i
	}
	f.add(start, end, kindSecret, rankFormat)
	return end
}

// runBack returns the beginning of the run of body characters that ends at i.
func (f *finder) runBack(b body, i int) int {
	set, j := b.set(), i
	for j > 0 && i-j < 64 && set.has(f.text[j-1]) {
		j--
	}
	return j
}

// telegramAt looks at the colon of a Telegram bot token: digits, a colon, AA and
// 33 more characters.
func (f *finder) telegramAt(i int) int {
	start := f.runBack(digit, i)
	end := f.runEnd(alnumDash, i+1)
	if n := i - start; n < 8 || n > 10 || end-i-1 != 35 || !f.hasAt(i+1, "AA") {
		return i
	}
	f.add(start, end, kindToken, rankFormat)
	return end
}

// pgpassAt looks at the colon before the port in a line of .pgpass:
// host:port:database:user:password.
func (f *finder) pgpassAt(i int) int {
	text := f.text
	port := f.runEnd(digit, i+1)
	if n := port - i - 1; n < 4 || n > 5 || port >= len(text) || text[port] != ':' {
		return i
	}
	line := text[lineStart(text, i):min(len(text), i+200)]
	if k := strings.IndexAny(line, "\r\n"); k >= 0 {
		line = line[:k]
	}
	last := fifthField(line)
	if last == 0 || strings.ContainsAny(line[:last], " \t\"'/") || strings.ContainsAny(line[last:], " \t") {
		return i
	}
	start := lineStart(text, i) + last
	end := lineStart(text, i) + len(line)
	if end-start < 4 || isPlaceholder(text[start:end]) || isNumber(text[start:end]) {
		return i
	}
	f.add(start, end, kindPassword, rankName)
	return end
}

// fifthField returns the beginning of the last of five fields in a line of
// .pgpass, or 0 if there are not five. In a field, a backslash precedes a colon.
func fifthField(line string) int {
	fields, last := 1, 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case ':':
			fields, last = fields+1, i+1
		}
	}
	if fields != 5 {
		return 0
	}
	return last
}

// mailchimpAt looks at the -us of a Mailchimp key: 32 hex digits and a data
// centre.
func (f *finder) mailchimpAt(i int) int {
	start := f.runBack(hexBody, i)
	end := i + 3
	for end < len(f.text) && end-i < 5 && isDigit(f.text[end]) {
		end++
	}
	if i-start != 32 || end == i+3 {
		return i
	}
	f.add(start, end, kindAPIKey, rankFormat)
	return end
}

// entraAt looks at the Q~ in a client secret of Microsoft Entra: three
// characters, a digit, Q~ and about 34 more.
func (f *finder) entraAt(i int) int {
	if i < 4 || !isDigit(f.text[i-1]) {
		return i
	}
	end := f.runEnd(entraBody, i)
	if n := end - i - 2; n < 31 || n > 40 {
		return i
	}
	for _, b := range []byte(f.text[i-4 : i-1]) {
		if !charsets[entraBody].has(b) {
			return i
		}
	}
	f.add(i-4, end, kindSecret, rankFormat)
	return end
}

// dsnAt looks at the @ of user:password@tcp(host) and of user/password@//host.
func (f *finder) dsnAt(i int) int {
	text := f.text
	sep := byte(':')
	switch {
	case f.hasAt(i, "@tcp("), f.hasAt(i, "@unix("):
	case f.hasAt(i, "@//"):
		sep = '/'
	default:
		return i
	}
	for j := i - 1; j >= 0 && i-j < 80 && text[j] > ' ' && !isQuote(text[j]); j-- {
		if text[j] == sep {
			if s := text[j+1 : i]; len(s) > 0 && !isTemplate(s) {
				f.add(j+1, i, kindPassword, rankName)
			}
			break
		}
	}
	return i
}

// awsSecretAfter hides the secret key that follows an access key id.
func (f *finder) awsSecretAfter(i int) {
	text := f.text
	stop := min(len(text), i+160)
	for j := i; j < stop; {
		if !charsets[alnumSlash].has(text[j]) {
			j++
			continue
		}
		end := f.runEnd(alnumSlash, j)
		if s := text[j:end]; len(s) == 40 && shapeOf(s).random() && !shapeOf(s).hex {
			f.add(j, end, kindAWS, rankFormat)
			return
		}
		j = end
	}
}

// puttyAt hides the private part of a PuTTY key file.
func (f *finder) puttyAt(i int) int {
	if !f.hasAt(i, "Private-Lines:") {
		return i
	}
	body := i + len("Private-Lines:")
	if end := f.pemEnd(body); end > 0 {
		f.add(body, end, kindPrivateKey, rankPEM)
		return end
	}
	return i
}

// derAt hides the base64 of a private key whose markers are missing.
func (f *finder) derAt(i int) int {
	if i > 0 && isIdent(f.text[i-1]) || strings.Contains(f.text[max(0, i-24):i], "TESTING KEY") {
		return i
	}
	for _, head := range derHeads {
		if derMatch(f.text[i:], head) {
			end := f.pemEnd(i)
			if end == 0 {
				return i
			}
			f.add(i, end, kindPrivateKey, rankPEM)
			return end
		}
	}
	return i
}

// derHeads are the beginnings of private keys in base64, with a dot for a
// character that varies: PKCS #1, PKCS #8 (RSA, EC, Ed25519), SEC 1, OpenSSH.
var derHeads = [...]string{
	"MII...IBAAKC", "MII...IBADANBgkqhkiG9w0BAQEF", "MIG...EAMBMGByqGSM49AgEG", "MC4CAQAwBQYDK2Vw", "MHcCAQEEI", "MIGkAgEBBD", "MIHcAgEBBE", "b3BlbnNzaC1rZXktdjE",
}

func derMatch(text, head string) bool {
	if len(text) < len(head) {
		return false
	}
	for i := range len(head) {
		if head[i] != '.' && text[i] != head[i] {
			return false
		}
	}
	return true
}
