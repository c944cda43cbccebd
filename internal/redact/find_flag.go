package redact

import "strings"

// Passwords on command lines that are not the value of a long option.

// form is the way in which a command takes its password.
type form uint8

const (
	formValue form = iota // the flag's value
	formUser              // what follows the colon (or %) in the flag's value
	formGlued             // attached to the flag
	formComma             // what follows the comma in the flag's value
)

// commandFlag is a short option that takes a password. It may apply only to one
// subcommand, if others use the same letter for a port or a project.
type commandFlag struct {
	command string
	flag    byte
	form    form
	sub     string
}

var commandFlags = [...]commandFlag{
	{"curl", 'u', formUser, ""},
	{"curl", 'U', formUser, ""},
	{"curl", 'E', formUser, ""},
	{"http", 'a', formUser, ""},
	{"https", 'a', formUser, ""},
	{"xh", 'a', formUser, ""},
	{"smbclient", 'U', formUser, ""},
	{"rpcclient", 'U', formUser, ""},
	{"mysql", 'p', formGlued, ""},
	{"mysqldump", 'p', formGlued, ""},
	{"mysqladmin", 'p', formGlued, ""},
	{"mariadb", 'p', formGlued, ""},
	{"7z", 'p', formGlued, ""},
	{"7za", 'p', formGlued, ""},
	{"rar", 'p', formGlued, ""},
	{"unrar", 'p', formGlued, ""},
	{"bcp", 'P', formGlued, ""},
	{"sqlcmd", 'P', formGlued, ""},
	{"sqlcmd", 'P', formValue, ""},
	{"bcp", 'P', formValue, ""},
	{"sshpass", 'p', formGlued, ""},
	{"sshpass", 'p', formValue, ""},
	{"docker", 'p', formValue, "login"},
	{"podman", 'p', formValue, "login"},
	{"az", 'p', formValue, "login"},
	{"mongo", 'p', formValue, ""},
	{"mongosh", 'p', formValue, ""},
	{"mongodump", 'p', formValue, ""},
	{"psexec", 'p', formValue, ""},
	{"PsExec.exe", 'p', formValue, ""},
	{"winexe", 'p', formValue, ""},
	{"cf", 'p', formValue, "login"},
	{"oc", 'p', formValue, "login"},
	{"ldapsearch", 'w', formValue, ""},
	{"ldapmodify", 'w', formValue, ""},
	{"ldapadd", 'w', formValue, ""},
	{"ldappasswd", 'w', formValue, ""},
	{"redis-cli", 'a', formValue, ""},
	{"unzip", 'P', formValue, ""},
	{"zip", 'P', formValue, ""},
	{"snmpwalk", 'A', formValue, ""},
	{"snmpget", 'A', formValue, ""},
	{"openssl", 'k', formValue, "enc"},
	{"ipmitool", 'P', formValue, ""},
	{"crackmapexec", 'p', formValue, ""},
	{"evil-winrm", 'p', formValue, ""},
	{"xfreerdp", 'p', formValue, ""},
	{"PsExec", 'p', formValue, ""},
	{"snowsql", 'p', formValue, ""},
	{"cqlsh", 'p', formValue, ""},
	{"influx", 'p', formValue, ""},
	{"tabcmd", 'p', formValue, ""},
	{"lftp", 'u', formComma, ""},
	{"nerdctl", 'p', formValue, "login"},
	{"buildah", 'p', formValue, "login"},
	{"skopeo", 'p', formValue, "login"},
	{"helm", 'p', formValue, "login"},
	{"nuget", 'p', formValue, "sources"},
}

// flagLetters are the letters of commandFlags.
var flagLetters = charset{loHyphen, 1<<('u'-64) | 1<<('U'-64) | 1<<('p'-64) | 1<<('P'-64) | 1<<('w'-64) | 1<<('a'-64) | 1<<('A'-64) | 1<<('k'-64) | 1<<('b'-64) | 1<<('E'-64) | 1<<('S'-64)}

// flagAt looks at the " -x" at i. If the command on its line takes a password
// with this option, it hides the password.
func (f *finder) flagAt(i int) int {
	text := f.text
	if i+3 >= len(text) || !flagLetters.has(text[i+2]) {
		return i
	}
	letter := text[i+2]
	if letter == '-' {
		return f.userFlag(i)
	}
	if letter == 'S' {
		return f.echoed(i, strings.HasSuffix(text[:i], "sudo"))
	}
	if f.commandsBefore(i); f.commands.n == 0 {
		return i
	}
	for k := range commandFlags {
		c := &commandFlags[k]
		if c.flag == letter && f.commands.holds(text, i, c) {
			if end := f.flagValue(i+3, c.form); end > 0 {
				return end
			}
		}
	}
	return i
}

// commandReach is how far after its command a flag may be, in bytes.
const commandReach = 200

// lineCommands are the last commands of commandFlags that were read on a line.
type lineCommands struct {
	words [4]run
	n     int // how many of the words are in use
	read  int // the text has been read up to here
}

// holds reports whether the command of c is one of the words within reach of i,
// in the same simple command, and is followed by the subcommand of c.
func (c *lineCommands) holds(text string, i int, flag *commandFlag) bool {
	var last run
	for _, w := range c.words[:min(c.n, len(c.words))] {
		if i-w.start <= commandReach && text[w.start:w.end] == flag.command && w.end > last.end {
			last = w
		}
	}
	if last.end == 0 {
		return false
	}
	between := text[last.end:i]
	return !endsCommand(between) && (flag.sub == "" || hasWord(between, flag.sub) && !strings.Contains(between, ", "))
}

// endsCommand reports whether s contains a sign that begins another command.
func endsCommand(s string) bool {
	for k := 0; k+1 < len(s); k++ {
		switch s[k] {
		case ';', '|':
			if isSpace(s[k+1]) || k > 0 && isBlank(s[k-1]) {
				return true
			}
		case '&':
			if s[k+1] == '&' {
				return true
			}
		}
	}
	return false
}

// commandsBefore updates f.commands up to i. It reads every byte once, however
// many flags there are.
func (f *finder) commandsBefore(i int) {
	text, c := f.text, &f.commands
	j := max(c.read, i-2*commandReach)
	for j < i {
		b := text[j]
		if b == '\n' {
			c.n = 0
		}
		if !isIdent(b) {
			j++
			continue
		}
		start := j
		for j < i && (isIdent(text[j]) || text[j] == '-' || text[j] == '.') {
			j++
		}
		if (start == 0 || text[start-1] != '-') && (j == i || isBlank(text[j])) && takesPassword(text[start:j]) {
			c.words[c.n%len(c.words)] = run{start, j}
			c.n++
		}
	}
	c.read = i
}

// takesPassword reports whether s is one of the commands of commandFlags.
func takesPassword(s string) bool {
	for k := range commandFlags {
		if commandFlags[k].command == s {
			return true
		}
	}
	return false
}

// userFlag hides the password in --user name:password.
func (f *finder) userFlag(i int) int {
	if f.hasAt(i, " --password-stdin") || f.hasAt(i, " --stdin") && hasWord(f.text[lineStart(f.text, i):i], "sudo") {
		return f.echoed(i, true)
	}
	for _, flag := range [...]string{" --user ", " --user=", " --proxy-user ", " --basic-auth ", " --auth "} {
		if f.hasAt(i, flag) {
			if end := f.flagValue(i+len(flag), formUser); end > 0 {
				return end
			}
		}
	}
	return i
}

// echoed hides the word that an echo pipes into the command before the flag at i,
// if the command reads a password from its standard input.
func (f *finder) echoed(i int, reads bool) int {
	if !reads {
		return i
	}
	text := f.text
	start := lineStart(text, i)
	line := text[start:i]
	k := strings.LastIndex(line, "echo ")
	bar := strings.LastIndexByte(line, '|')
	if k < 0 || bar < k {
		return i
	}
	from := skipBlank(text, start+k+len("echo "))
	for f.hasAt(from, "-") && from < start+bar {
		from = skipBlank(text, from+3)
	}
	if from >= start+bar {
		return i
	}
	a, b := f.shellWord(from)
	if b <= start+bar && b-a >= 4 && !isPlaceholder(text[a:b]) {
		f.add(a, b, kindPassword, rankName)
	}
	return i
}

// aclAt looks at the " >" at i. In a Redis rule for a user, the password follows
// it: user bob on >….
func (f *finder) aclAt(i int) int {
	text := f.text
	if i < len("on") || text[i-1] != 'n' || text[i-2] != 'o' || i+2 >= len(text) || text[i+2] <= ' ' {
		return i
	}
	if head := text[lineStart(text, i):i]; !hasFold(head, 0, "user ") && !strings.Contains(strings.ToLower(head), "setuser ") {
		return i
	}
	end := i + 2
	for end < len(text) && end-i < maxWord && text[end] > ' ' {
		end++
	}
	if end-i < 2+4 || isPlaceholder(text[i+2:end]) {
		return i
	}
	f.add(i+2, end, kindPassword, rankName)
	return end
}

// hasWord reports whether line contains word, not next to other letters.
func hasWord(line, word string) bool {
	for at := 0; ; {
		k := strings.Index(line[at:], word)
		if k < 0 {
			return false
		}
		k += at
		at = k + len(word)
		if (k == 0 || !isIdent(line[k-1]) && line[k-1] != '-') && (at == len(line) || isBlank(line[at])) {
			return true
		}
	}
}

// flagValue hides the password after a flag that ends at i. It returns the end of
// the password.
func (f *finder) flagValue(i int, how form) int {
	text := f.text
	j := skipBlank(text, i)
	if j >= len(text) || (how == formGlued) != (j == i) && how != formUser {
		return 0
	}
	start, end := f.shellWord(j)
	if how == formUser || how == formComma {
		separators := ":%"
		if how == formComma {
			separators = ","
		}
		k := strings.IndexAny(text[start:end], separators)
		if k < 0 {
			return 0
		}
		start += k + 1
	}
	s := text[start:end]
	if len(s) < 3 || isPlaceholder(s) || how == formGlued && s[0] == '=' && start == j || how == formValue && isPortOrPath(s) {
		return 0
	}
	f.add(start, end, kindPassword, rankName)
	return end
}

// isPortOrPath reports whether s is a typical value of the same letter in other
// commands: a port, a port mapping, a relative path.
func isPortOrPath(s string) bool {
	if k := strings.IndexByte(s, '/'); k > 0 {
		return wordy(s) || isPlainWord(s[:k]) && wordy(s[:k])
	}
	return strings.Trim(s, "0123456789.:") == "" && (len(s) <= 5 || strings.IndexByte(s, ':') > 0)
}

// maxWord limits a word of a command line, in bytes.
const maxWord = 256

// shellWord returns the content of the shell word that begins at i, or an empty
// one if its quote is not closed on the line.
func (f *finder) shellWord(i int) (start, end int) {
	text := f.text
	stop := min(len(text), i+maxWord)
	if q := text[i]; isQuote(q) {
		for j := i + 1; j < stop && text[j] != '\n'; j++ {
			if text[j] == q {
				return i + 1, j
			}
		}
		return i, i
	}
	j := i
	for j < stop && text[j] > ' ' && !isQuote(text[j]) && text[j] != '|' && text[j] != ';' {
		j++
	}
	return i, j
}
