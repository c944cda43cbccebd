// Package guardtest makes random commands for tests of the command guard, from
// the vocabulary of its tables and from known escape tricks.
//
// The policy's own tests inspect the plans that are accepted. The sandbox's tests
// run them, and check that no file is changed, no byte is sent and no process is
// left.
package guardtest

import (
	"math/rand/v2"
	"strings"
)

// Port is replaced by the number of a loopback port on which a test listens.
const Port = "47114"

// The vocabulary: options of many programs (mixed freely between programs), paths
// inside and outside the workspace, operators that join words, and tricks.
var (
	genOptions = strings.Fields(`-a -l -la -n -c -v -r -R -i -e -f -o -x -s -p -d -L -h -q -u -w -z -F -X -P -H -S -t -D -C -I
		-exec -delete -name -path -print -fprint -ok -newer -files0-from -follow -maxdepth --help --version --output=x --files0-from=x
		--file=x --follow --recursive --include=*.go --exclude-from=x --from-file=x --to-file=x --fromfile --sort=x --color=auto -20 -5 -- -`)
	genPaths = strings.Fields(`. .. / ~ src README.md src/a.go ./src ../x /etc /etc/passwd /etc/shadow /home/user /home/user/.ssh/id_rsa
		/home/user/projects/myapp/src /home/user/projects/myapp/../../.ssh /home/user/projects/myappx /proc/self/environ /proc/cpuinfo /dev/sda
		/dev/null /dev/zero /usr/share /var/log /tmp/x .git/config .git/hooks src/../.. src/../README.md link link/.. * *.go src/* ../* /etc/s* .* ?
		/dev/tcp/127.0.0.1/47114 /dev/udp/127.0.0.1/47114 127.0.0.1:47114 http://127.0.0.1:47114/x ftp://localhost:47114/ localhost sock ./sock unix:sock
		--host=127.0.0.1:47114 //127.0.0.1:47114/x file://127.0.0.1/x
		[a-z]* {a,b} {a,../../x} $HOME ${HOME} $(id) a'b'c "a b" 'a;b' a\ b -x ./-x @f +5 +f "" 5 10k x=y x:y`)
	genGlue   = []string{" ", " ", " ", " ", " | ", " && ", " || ", "; ", " & ", " > ", " 2>&1 ", " >/dev/null ", " < ", " >> ", "\n", " |& ", " 2> ", "=", "", "\t", " \\\n"}
	genTricks = []string{"$'x'", "`id`", "$(id)", "<(id)", "X=1", "!", "(", ")", "{", "}", "#", "~", "\\", "'", "\"", "\u200b", "\r", "-exec sh ;", "-exec\\ sh", "'-delete'", "\"-exec\"", "sh", "bash -c id", "$IFS", "a{b,c}"}
)

// Command returns a random command that begins with one of the names. The same
// source always gives the same commands.
func Command(r *rand.Rand, names []string) string {
	var b strings.Builder
	b.WriteString(names[r.IntN(len(names))])
	for range r.IntN(7) {
		b.WriteString(genGlue[min(r.IntN(60), 59)%len(genGlue)])
		switch r.IntN(10) {
		case 0, 1, 2:
			b.WriteString(genOptions[r.IntN(len(genOptions))])
		case 3:
			b.WriteString(names[r.IntN(len(names))])
		case 4:
			if r.IntN(3) == 0 {
				b.WriteString(genTricks[r.IntN(len(genTricks))])
			}
		default:
			b.WriteString(" " + genPaths[r.IntN(len(genPaths))])
		}
	}
	return b.String()
}
