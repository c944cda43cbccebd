package redact

import "strings"

// Passwords that are positional arguments of a command.

// positionalAt looks at the word from start to end, which is such a command or a
// part of its name. It returns where to continue, or 0 if there is no password.
func (f *finder) positionalAt(start, end int) int {
	text := f.text
	if end < len(text) && !isSpace(text[end]) || end-start < len("login") {
		return 0
	}
	if f.hasAt(end, " set ") && (text[start:end] == "secret" || text[start:end] == "secrets") {
		return f.setSecret(end)
	}
	switch word := text[start:end]; {
	case word == "login" && strings.HasSuffix(text[:start], "vault "):
		return f.hideWord(f.wordAfter(end, 0, "-"))
	case word == "community" && strings.HasSuffix(text[:start], "snmp-server "):
		return f.hideWord(f.wordAfter(end, 0, ""))
	case word == "htpasswd":
		return f.htpasswd(end)
	case word == "chpasswd":
		f.chpasswd(start, end)
	case strings.HasPrefix(word, "http-basic."):
		return f.hideWord(f.wordAfter(end, 1, "-"))
	}
	return 0
}

// chpasswd hides the password of the user:password that is piped into the command
// from start to end, or that follows it as a string.
func (f *finder) chpasswd(start, end int) {
	text := f.text
	from := lineStart(text, start)
	head := text[from:start]
	at, stop := strings.LastIndexByte(head, '|'), start
	if at >= 0 {
		stop = from + at
		at = max(strings.LastIndex(head[:at], "echo "), strings.LastIndex(head[:at], "printf "))
	} else if f.hasAt(skipBlank(text, end), "<<<") {
		from, at, stop = end, 0, lineEnd(text, end)
	}
	if at < 0 {
		return
	}
	piece := text[from+at : stop]
	k := strings.IndexByte(piece, ':')
	if k < 0 {
		return
	}
	i := from + at + k + 1
	j := i
	for j < stop && text[j] > ' ' && !isQuote(text[j]) && text[j] != '\\' {
		j++
	}
	f.hideWord(run{i, j})
}

// setSecret hides the value that a command stores as a secret if the words
// "secret set" end before i: gh secret set NAME --body VALUE.
func (f *finder) setSecret(i int) int {
	text := f.text
	line := text[i:lineEnd(text, i)]
	for _, flag := range [...]string{" --body ", " --body=", " -b ", " -b", " --value ", " --value="} {
		if k := strings.Index(line, flag); k >= 0 && i+k+len(flag) < len(text) {
			a, b := f.shellWord(i + k + len(flag))
			return f.hideWord(run{a, b})
		}
	}
	return 0
}

// htpasswd hides the last argument if it is a password: htpasswd -b FILE USER
// PASSWORD, and without the file after -n.
func (f *finder) htpasswd(end int) int {
	text := f.text
	batch, skip := false, 2
	i := skipBlank(text, end)
	for f.hasAt(i, "-") {
		from := i
		for i < len(text) && text[i] > ' ' {
			i++
		}
		batch = batch || strings.IndexByte(text[from:i], 'b') > 0
		if strings.IndexByte(text[from:i], 'n') > 0 {
			skip = 1
		}
		if strings.IndexByte(text[from:i], 'C') > 0 { // the bcrypt cost, a number
			i = f.wordAfter(i, 0, "").end
		}
		i = skipBlank(text, i)
	}
	if !batch {
		return 0
	}
	return f.hideWord(f.wordAfter(i, skip, ""))
}

// netAt looks at "net use" and "net user" at i. The password follows the share or
// the user, unless it is a star, which makes the command ask for it.
func (f *finder) netAt(i int) int {
	text := f.text
	if i > 0 && isIdent(text[i-1]) {
		return 0
	}
	switch {
	case f.hasAt(i, "net user "):
		return f.hideWord(f.wordAfter(i+len("net user"), 1, "/"))
	case f.hasAt(i, "net use "):
		w := f.wordAfter(i+len("net use"), 1, "/")
		if w.end > w.start && strings.HasPrefix(text[w.start:w.end], `\\`) {
			w = f.wordAfter(i+len("net use"), 2, "/")
		}
		return f.hideWord(w)
	}
	return 0
}

// wordAfter returns the shell word that follows i on its line after skip other
// words. Words that begin with option are not counted.
func (f *finder) wordAfter(i, skip int, option string) run {
	text := f.text
	for range maxArguments + skip {
		i = skipBlank(text, i)
		if i >= len(text) || text[i] == '\n' || text[i] == '\r' || text[i] == '|' || text[i] == ';' || text[i] == '&' || text[i] == '<' || text[i] == '>' {
			return run{}
		}
		a, b := f.shellWord(i)
		if b <= a {
			return run{}
		}
		i = b
		if a > 0 && isQuote(text[a-1]) {
			i++
		}
		if option != "" && strings.HasPrefix(text[a:b], option) {
			continue
		}
		if skip == 0 {
			return run{a, b}
		}
		skip--
	}
	return run{}
}

// hideWord hides a password that is a whole word of a command line. It returns
// the password's end, or 0 if w is not a word or is a placeholder.
func (f *finder) hideWord(w run) int {
	if w.end-w.start < 4 {
		return 0
	}
	if s := f.text[w.start:w.end]; isPlaceholder(s) || isReference(s) || !hasMixture(s) && wordy(s) {
		return 0
	}
	f.add(w.start, w.end, kindPassword, rankName)
	return w.end
}
