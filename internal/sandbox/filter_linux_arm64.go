package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// This processor has no additional system calls.
var archRules, archLandlockRules []rule
