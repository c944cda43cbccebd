package storefile

import "golang.org/x/sys/unix"

// networkFilesystems maps filesystem type numbers of statfs(2) to names.
var networkFilesystems = map[int64]string{
	0x6969:     "NFS",
	0x517B:     "SMB",
	0xFF534D42: "CIFS",
	0xFE534D42: "SMB2",
	0x01021997: "9P, as WSL has the drives of Windows below /mnt",
	0x5346414F: "AFS",
	0x6B414653: "AFS", // the kernel's client
	0x7461636F: "OCFS2",
	0x00C36400: "Ceph",
	0x0BD00BD0: "Lustre",
	0x73757245: "Coda",
}

// NetworkFilesystem returns the name of the network filesystem that dir is on, or "" if
// it is local or the platform does not tell.
func NetworkFilesystem(dir string) string {
	var stat unix.Statfs_t
	if unix.Statfs(dir, &stat) != nil {
		return ""
	}
	return networkFilesystems[int64(uint32(stat.Type))]
}
