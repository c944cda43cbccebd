package rig_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/lab/rig"
)

const mounts = `/dev/vda / ext4 rw 0 0
proc /proc proc rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/vdb /tmp/my\040disk xfs rw 0 0
server:/x /home nfs4 rw 0 0
broken
`

func TestFileSystem(t *testing.T) {
	for dir, want := range map[string]string{
		"/":                  "ext4",
		"/var/lib":           "ext4",
		"/tmp":               "tmpfs",
		"/tmp/x/y":           "tmpfs",
		"/tmpfiles":          "ext4",
		"/tmp/my disk/store": "xfs",
		"/home/u":            "nfs4",
	} {
		if got := rig.MountOf(mounts, dir); got != want {
			t.Errorf("%s is on %s, want %s", dir, got, want)
		}
	}
	if got := rig.MountOf("", "/"); got != "unknown" {
		t.Errorf("without mounts: %s", got)
	}
}

func TestMemory(t *testing.T) {
	resident, private, err := rig.ParseStatus("Name:\tbridge\nVmRSS:\t   20000 kB\nRssAnon:\t    7000 kB\nRssFile:\t   13000 kB\n")
	if err != nil || resident != 20.48 || private != 7.168 {
		t.Errorf("got %v, %v, %v", resident, private, err)
	}
	for _, text := range []string{"", "Name:\tzombie\n", "VmRSS:\tmuch kB\n"} {
		if _, _, err := rig.ParseStatus(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestMachineLine(t *testing.T) {
	m := rig.Machine{CPU: "Z80", Cores: 2, System: "linux 6.1 amd64", FileSystem: "ext4", Load: 0.5, Go: "go1.26", Bridge: "v1"}
	if got, want := m.String(), "Z80, 2 cores, linux 6.1 amd64, ext4, go1.26, bridge v1, load 0.50"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	other := m
	other.Load, other.Bridge, other.Go = 3, "v2", "go1.27"
	if !m.SameAs(other) {
		t.Error("another version of bridge makes another machine")
	}
	other.FileSystem = "tmpfs"
	if m.SameAs(other) || !other.InMemory() || m.InMemory() {
		t.Error("the file system does not matter")
	}
	m.Load = -1
	if strings.Contains(m.String(), "load") {
		t.Error("it shows an unknown load")
	}
}
