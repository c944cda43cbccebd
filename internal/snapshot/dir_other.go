//go:build !unix

package snapshot

import "os"

// Commands run on Linux only. On other systems every snapshot fails with
// [ErrPlatform].

type dir struct{ fd int }

type info struct {
	kind         kind
	mode         uint32
	names        uint32
	size, blocks int64
	inode, dev   uint64
	mtime, ctime int64
}

type owner struct{ uid, gid int }

func openDir(string) (dir, error) { return dir{}, ErrPlatform }

func (d dir) close()                                  {}
func (d dir) open(string) (dir, error)                { return d, ErrPlatform }
func (d dir) openPath([]string) (dir, error)          { return d, ErrPlatform }
func (d dir) names() ([]string, error)                { return nil, ErrPlatform }
func (d dir) stat(string) (info, error)               { return info{}, ErrPlatform }
func (d dir) openFile(string) (*os.File, info, error) { return nil, info{}, ErrPlatform }
func (d dir) readlink(string) (string, error)         { return "", ErrPlatform }
func (d dir) remove(string) error                     { return ErrPlatform }
func (d dir) removeDir(string) error                  { return ErrPlatform }
func (d dir) rename(string, string) error             { return ErrPlatform }
func (d dir) mkdir(string, uint32, owner) error       { return ErrPlatform }
func (d dir) symlink(string, string, owner) error     { return ErrPlatform }
func (d dir) create(string) (*os.File, error)         { return nil, ErrPlatform }
func give(*os.File, uint32, owner) error              { return ErrPlatform }
func ownerFor(info) owner                             { return owner{} }

type flock struct{}

func (k Keeper) lock(bool) (flock, error) { return flock{}, ErrPlatform }

func (l flock) unlock() {}
