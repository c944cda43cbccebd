//go:build unix

package snapshot

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// asOwner lets root's git run as the owner of the working tree, so that the
// repository stays the owner's.
func asOwner(cmd *exec.Cmd, top string) error {
	uid, gid, err := ownerOf(top)
	if err != nil || uid < 0 {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}} // #nosec G115 -- from the kernel
	return nil
}

// ownerOf returns whom files must be given to, or -1 where they are right
// already.
func ownerOf(top string) (uid, gid int, err error) {
	info, err := os.Stat(top)
	if err != nil {
		return -1, -1, fmt.Errorf("snapshot: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || st.Uid == 0 {
		return -1, -1, nil
	}
	return int(st.Uid), int(st.Gid), nil
}
