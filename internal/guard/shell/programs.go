package shell

import (
	"strings"
	"sync"

	"example.org/bridge/internal/guard/verdict"
)

// refused is the reason why a program is never started.
type refused struct {
	rule verdict.Rule
	why  string
}

// refusedPrograms are programs that yolo mode never starts, by base name.
var refusedPrograms = refusedTable([]struct {
	rule       verdict.Rule
	names, why string
}{
	{verdict.Privilege, "sg tsu sudo.ws polkit-agent-helper-1 sudo-rs su-rs opendoas gksu gksudo kdesu kdesudo lxqt-sudo beesu xdg-su sux ksu super pbrun pmrun chpst setuidgid s6-setuidgid s6-applyuidgid envuidgid start-stop-daemon polkit-auth pkttyagent newrole login sulogin agetty newuidmap newgidmap sshd rsh rlogin busctl sudo su doas pkexec runuser run0 sudoedit visudo machinectl sudoreplay gosu su-exec setpriv newgrp calife dzdo pfexec please capsh", "it changes privileges"},
	{verdict.SandboxEscape, "cmd.exe powershell.exe pwsh.exe wsl.exe wsl wscript.exe cscript.exe explorer.exe rundll32.exe reg.exe mshta.exe aa-exec runcon flatpak-spawn toolbox distrobox distrobox-enter distrobox-host-exec host-spawn lxc-start runc crun limactl colima virsh virt-install k3s k0s qemu-nbd chroot nsenter unshare pivot_root switch_root systemd-nspawn systemd-run lxc-attach", "it leaves or changes the sandbox"},
	{verdict.DiskTool, "mkfs mke2fs mkswap mkdosfs mkntfs newfs fdisk sfdisk cfdisk gdisk sgdisk cgdisk parted partprobe kpartx blkdiscard wipefs cryptsetup diskutil hdparm nvme sg_format badblocks losetup dmsetup mdadm lvremove vgremove pvremove lvcreate vgcreate pvcreate zpool zfs btrfs tune2fs resize2fs e2fsck fsck xfs_repair debugfs flashrom flash_erase", "it accesses disks directly"},
	{verdict.MountTool, "mount umount swapon swapoff fusermount fusermount3 mount.nfs mount.nfs4 mount.cifs mount.ntfs-3g mount.fuse mount.ecryptfs mount.ecryptfs_private umount.nfs umount.udisks2", "it changes what is mounted"},
	{verdict.PowerTool, "reboot shutdown halt poweroff init telinit kexec pm-suspend pm-hibernate rtcwake", "it stops the machine"},
	{verdict.KernelTool, "insmod rmmod modprobe depmod kmod dkms bpftool bpftrace", "it changes the kernel"},
	{verdict.FirewallTool, "iptables ip6tables iptables-restore ip6tables-restore nft ufw firewall-cmd ebtables arptables pfctl ipfw tc", "it changes the firewall"},
	{verdict.AccountTool, "useradd userdel usermod adduser deluser groupadd groupdel groupmod addgroup delgroup passwd chpasswd chgpasswd chsh chfn gpasswd vipw vigr newusers pwconv pwunconv chage dscl sysadminctl", "it changes accounts"},
	{verdict.DeferredTool, "at batch atd crontab anacron atrm launchctl schtasks incrontab fcrontab", "it runs something later, outside the sandbox"},
	{verdict.EvaluatedText, "eval", "it runs text that the approval does not show"},
	{verdict.Keystrokes, "xdotool ydotool wtype xte xdo keyboard-simulate xvkbd dotool osascript cliclick uinput evemu-event ttyecho keybd_event", "it types into the human's desktop"},
	{verdict.MachineTool, "setcap chattr setfacl-restore hwclock dmidecode auditctl auditd killall5 setenforce semanage aa-disable apparmor_parser update-alternatives loadkeys wall grub-install update-grub efibootmgr", "it changes the machine"},
	{verdict.AttackTool, "hashcat john mimikatz msfconsole msfvenom hydra", "it attacks passwords or machines"},
})

// refusedTable is expandNames for programs that are refused.
func refusedTable(rows []struct {
	rule       verdict.Rule
	names, why string
},
) func() map[string]*refused {
	return sync.OnceValue(func() map[string]*refused {
		out := map[string]*refused{}
		for _, r := range rows {
			for name := range strings.FieldsSeq(r.names) {
				out[name] = &refused{r.rule, r.why}
			}
		}
		return out
	})
}

// expandNames returns a function that gives, for each name in the rows, why it is
// there. The map is made at the first call: a program that judges no command, such as a
// server that starts, does not pay for it.
func expandNames(rows []struct{ names, why string }) func() map[string]string {
	return sync.OnceValue(func() map[string]string {
		out := map[string]string{}
		for _, r := range rows {
			for name := range strings.FieldsSeq(r.names) {
				out[name] = r.why
			}
		}
		return out
	})
}

func refusedProgram(name string) *refused {
	for _, prefix := range []string{"mkfs.", "fsck."} {
		if strings.HasPrefix(name, prefix) {
			return refusedPrograms()["mkfs"]
		}
	}
	return refusedPrograms()[name]
}

// wrapper is a program that starts another one, named in its arguments.
type wrapper struct {
	valued   string // short options that take the next word
	long     string // long options that take the next word
	operands int    // operands before the inner command
	assigns  bool   // NAME=value words before it
	code     string // options whose value is shell code
	joined   bool   // the rest is joined and given to a shell
	feeds    bool   // arguments come from standard input
	verb     string // the inner command follows this subcommand
	holder   string // options that name a placeholder
	digits   bool   // -10 is an option
	query    string // options that only look something up
}

var wrappers = map[string]*wrapper{
	"env":        {valued: "-u -C", long: "--unset --chdir", assigns: true, code: "-S --split-string"},
	"nice":       {valued: "-n", long: "--adjustment", digits: true},
	"ionice":     {valued: "-c -n -p -P -u", long: "--class --classdata"},
	"chrt":       {valued: "-T -P -D", operands: 1},
	"taskset":    {operands: 1},
	"timeout":    {valued: "-k -s", long: "--kill-after --signal", operands: 1},
	"gtimeout":   {valued: "-k -s", long: "--kill-after --signal", operands: 1},
	"nohup":      {},
	"setsid":     {},
	"stdbuf":     {valued: "-i -o -e", long: "--input --output --error"},
	"time":       {valued: "-f -o", long: "--format --output"},
	"command":    {query: "-v -V"},
	"builtin":    {},
	"exec":       {valued: "-a"},
	"coproc":     {},
	"xargs":      {valued: "-I -n -P -L -d -a -s -E", long: "--max-args --max-procs --max-lines --delimiter --arg-file --max-chars --replace", feeds: true, holder: "-I --replace -i -J"},
	"parallel":   {valued: "-j -n -N -I -a --jobs --delay --timeout --joblog --colsep -C -S -L", feeds: true, joined: true, holder: "-I"},
	"watch":      {valued: "-n -d", long: "--interval", joined: true},
	"strace":     {valued: "-o -e -p -s -u -E -P -a -I -O -S -U -X -b"},
	"ltrace":     {valued: "-o -e -p -s -u -E -a -n -l -F"},
	"valgrind":   {},
	"unbuffer":   {},
	"rlwrap":     {valued: "-H -f -l -P -p"},
	"script":     {code: "-c --command", operands: 1},
	"flock":      {valued: "-w -E", long: "--wait --timeout --conflict-exit-code", code: "-c --command", operands: 1},
	"caffeinate": {valued: "-t -w"},
	"chronic":    {}, "fakeroot": {valued: "-l -s -i -b"}, "eatmydata": {}, "firejail": {},
	"proxychains": {valued: "-f"}, "proxychains4": {valued: "-f"}, "torsocks": {}, "catchsegv": {},
	"setarch": {operands: 1}, "linux64": {}, "linux32": {}, "prlimit": {}, "cgexec": {valued: "-g"},
	"faketime": {operands: 1}, "sshpass": {valued: "-p -f -d -P"}, "dbus-run-session": {}, "dbus-launch": {},
	"xvfb-run": {valued: "-n -s -f -e -p -w", long: "--server-num --server-args"}, "ld.so": {}, "prime-run": {},
	"busybox": {}, "toybox": {}, "entr": {}, "hyperfine": {joined: true, valued: "-w -r -m -M -p -P -L -S -n"},
	"npx": {valued: "-p", long: "--package", code: "-c --call"}, "bunx": {}, "uvx": {long: "--from --with --python", valued: "-p"}, "pipx": {verb: "run"},
	"poetry": {verb: "run"}, "pipenv": {verb: "run"}, "uv": {verb: "run", long: "--with --python --extra --group", valued: "-p"}, "hatch": {verb: "run"},
	"pdm": {verb: "run"}, "rye": {verb: "run"}, "bundle": {verb: "exec"}, "conda": {verb: "run", valued: "-n -p"},
	"mamba": {verb: "run", valued: "-n -p"}, "mise": {verb: "exec"}, "asdf": {verb: "exec", operands: 1},
	"rbenv": {verb: "exec"}, "pyenv": {verb: "exec"}, "direnv": {verb: "exec", operands: 1}, "dotenv": {valued: "-f -e"},
	"doppler": {verb: "run"}, "op": {verb: "run"}, "aws-vault": {verb: "exec", operands: 1}, "nix-shell": {code: "--run --command", valued: "-p"},
	"tini": {}, "dumb-init": {}, "daemonize": {}, "detach": {},
	"cpulimit": {valued: "-l -p -e"}, "cross-env": {assigns: true}, "env-cmd": {valued: "-f"}, "concurrently": {joined: true, valued: "-n -c"},
	"watchexec-joined": {joined: true}, "sem": {joined: true}, "rush": {joined: true, feeds: true}, "nodemon": {valued: "-e -w", long: "--watch --ext", code: "--exec -x"}, "watchexec": {valued: "-w -e", long: "--watch --exts"},
}

// shells read code from -c, from a file, or from standard input.
var shells = expandNames([]struct{ names, why string }{
	{"sh bash zsh dash ksh mksh ash rbash fish tcsh csh elvish nu xonsh pwsh powershell yash posh", "a shell"},
})

// Names of programs that decide what flows through a pipeline.
var (
	downloaders = expandNames([]struct{ names, why string }{
		{"curl wget aria2c axel lynx w3m links elinks fetch http https xh httpie curlie lwp-request GET ftp tftp lftp nc ncat netcat socat telnet gh glab aws gsutil gcloud az dig host nslookup openssl ssh rclone", "it fetches from the network"},
	})
	networkTools = expandNames([]struct{ names, why string }{
		{"nc ncat netcat socat telnet curl wget ssh scp sftp ftp lftp tftp http https xh httpie openssl mail mailx sendmail nslookup dig host rsync", "it sends to the network"},
	})
	environmentDumps = expandNames([]struct{ names, why string }{
		{"env printenv set export declare compgen", "it prints the environment"},
	})
	argumentMakers = expandNames([]struct{ names, why string }{
		{"xargs parallel", "it turns lines into arguments"},
	})
	killers = expandNames([]struct{ names, why string }{
		{"kill skill", "it ends processes"},
	})
	removers = expandNames([]struct{ names, why string }{
		{"rm shred unlink mv chmod chown chgrp truncate rimraf trash", "it removes or changes what it is given"},
	})
	unpackers = expandNames([]struct{ names, why string }{
		{"tar bsdtar unzip gunzip gzip cpio zstd xz bunzip2 tee dd cat 7z", "it may write what was fetched"},
	})
	folderChangers = expandNames([]struct{ names, why string }{
		{"cd pushd popd", "it changes the folder"},
	})
)

// dataCommands only print their arguments, or ignore them.
var dataCommands = expandNames([]struct{ names, why string }{
	{"echo printf true false : logger notify-send say figlet cowsay", "its arguments are text"},
})

// firstIsText are programs whose first operand is a pattern or a script.
var firstIsText = map[string]bool{
	"grep": true, "egrep": true, "fgrep": true, "rg": true, "ag": true, "ack": true, "zgrep": true,
	"sed": true, "awk": true, "gawk": true, "mawk": true, "jq": true, "yq": true, "expr": true, "tr": true,
}

// textOptions are options whose value is text, by program.
var textOptions = map[string][]string{
	"git": {"-m", "--message", "--grep", "--author", "-am", "-S", "-G", "-qm"},
	"gh":  {"--title", "-t", "--body", "-b", "--notes", "-n"}, "glab": {"--title", "-t", "--description", "-d"},
	"grep": {"-e", "--regexp"}, "rg": {"-e", "--regexp"}, "sed": {"-e", "--expression"},
	"perl": {"-e", "-E", "-ne", "-pe"}, "ruby": {"-e"}, "python": {"-c"}, "python3": {"-c"}, "node": {"-e", "-p", "--eval", "--print"},
	"bash": {"-c"}, "sh": {"-c"}, "docker": {"-m", "--message"},
}

// readers only read, so that a protected path among their arguments does no harm.
var readers = expandNames([]struct{ names, why string }{
	{"cat ls grep egrep fgrep rg ag ack head tail less more wc diff cmp comm stat file test [ [[ jq yq bat find du tree md5sum sha1sum sha256sum sha512sum cksum b2sum strings hexdump xxd od realpath readlink basename dirname git cd pushd nl sort uniq cut tac column fold code git-lfs shellcheck yamllint markdownlint", "it reads"},
})
