package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is an unprivileged user, given by number because the image has no file
// of users.
const user = 65532

// stateFolder is the folder of the store, where a volume is mounted.
const stateFolder = "state"

// Spec describes an image.
type Spec struct {
	// Program is the path of a statically linked program.
	Program string
	// OS and Architecture are Go's names, which images also use.
	OS, Architecture string
	// Version is the value of the image's version label.
	Version string
}

// WriteLayout writes the image into a new folder and returns its digest.
func (s Spec) WriteLayout(folder string) (digest string, err error) {
	if _, err := os.Lstat(folder); err == nil { //nolint:gosec // who runs the program names its folder
		return "", fmt.Errorf("%s already exists: use a new folder", folder)
	}
	image, err := s.image()
	if err != nil {
		return "", err
	}
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return "", err
	}
	platform := layout.WithPlatform(v1.Platform{OS: s.OS, Architecture: s.Architecture})
	named := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": s.Version})
	if err := path.AppendImage(image, platform, named); err != nil {
		return "", err
	}
	hash, err := image.Digest()
	return hash.String(), err
}

func (s Spec) image() (v1.Image, error) {
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.AppendLayers(base, layer)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, s.config(image))
}

// config is the configuration of a container. Its root may be read-only, because only the
// volume is written.
func (s Spec) config(image v1.Image) *v1.ConfigFile {
	config, err := image.ConfigFile()
	if err != nil {
		panic(err) // cannot fail, since it was created in memory
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = s.OS, s.Architecture, v1.Time{Time: time.Unix(0, 0).UTC()}
	config.Config = v1.Config{
		User:       fmt.Sprintf("%d:%d", user, user),
		Entrypoint: []string{"/bridge"},
		Cmd:        []string{"gateway", "--listen", "0.0.0.0:8443", "--log-format", "json"},
		Env:        []string{"PATH=/", "HOME=/" + stateFolder, "BRIDGE_DB=/" + stateFolder + "/bridge/bridge.db", "XDG_STATE_HOME=/" + stateFolder},
		WorkingDir: "/" + stateFolder,
		Volumes:    map[string]struct{}{"/" + stateFolder: {}},
		Labels:     map[string]string{"org.opencontainers.image.title": "bridge", "org.opencontainers.image.version": s.Version},
	}
	return config
}

// files returns the only layer: the program, and a folder that only its user can enter.
// Times are fixed, so that they do not depend on the machine.
func (s Spec) files() (_ []byte, err error) {
	program, err := os.Open(s.Program)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	info, err := program.Stat()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	header := func(kind byte, name string, mode, size int64, owner int) error {
		return w.WriteHeader(&tar.Header{Typeflag: kind, Name: name, Mode: mode, Size: size, Uid: owner, Gid: owner, ModTime: time.Unix(0, 0).UTC(), Format: tar.FormatPAX})
	}
	if err := header(tar.TypeReg, "bridge", 0o555, info.Size(), 0); err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, program); err != nil {
		return nil, err
	}
	for _, folder := range []struct {
		name  string
		mode  int64
		owner int
	}{{"tmp/", 0o1777, 0}, {stateFolder + "/", 0o700, user}} {
		if err := header(tar.TypeDir, folder.name, folder.mode, 0, folder.owner); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}
