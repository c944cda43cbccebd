package deploy_test

import (
	"os"
	"syscall"
	"testing"
)

// readOnly makes a folder a read-only file system (EROFS), like the root of a container. If
// root may not mount anything on this machine, it removes the write permissions instead.
func readOnly(t *testing.T, folder string) {
	t.Helper()
	if err := syscall.Mount(folder, folder, "", syscall.MS_BIND, ""); err != nil {
		t.Logf("SKIPPED: a read-only file system, only closed permissions are tried: %v", err)
		must(t, os.Chmod(folder, 0o555))
		return
	}
	t.Cleanup(func() { must(t, syscall.Unmount(folder, syscall.MNT_DETACH)) })
	must(t, syscall.Mount("", folder, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	if err := os.WriteFile(folder+"/written", nil, 0o600); err == nil {
		t.Fatal("the file system takes files")
	}
}
