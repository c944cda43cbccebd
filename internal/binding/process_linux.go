package binding

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// startOf returns when a process was started: the ticks since boot, from the
// 22nd field of proc_pid_stat(5), and the ID of the boot.
func startOf(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The third field follows the name, which is in parentheses and may contain
	// anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "" // a zombie has ended
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return fields[19] + "@" + strings.TrimSpace(string(boot))
}
