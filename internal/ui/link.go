package ui

import (
	"bytes"
	"errors"
	"html/template"
	"os"
	"path/filepath"

	"example.org/bridge/internal/privatefile"
)

// link is the login file. Opened in a browser, it posts the code, so that the code appears
// in no command line, address or log.
const link = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<title>Log in to bridge</title>
<body>
<form method="post" action="{{.Action}}">
<input type="hidden" name="code" value="{{.Code}}">
<p>This file logs one browser in to the operator's page of bridge, once.</p>
<button>Log in</button>
</form>
<script>document.forms[0].submit()</script>
</body>
</html>
`

// Link is a login that works once. It is stored as a file in its own folder, readable by
// the operator only.
type Link struct{ dir string }

// Path returns the path of the file.
func (l Link) Path() string { return filepath.Join(l.dir, "bridge.html") }

// Remove deletes the file and its folder. It is not an error if they do not exist.
func (l Link) Remove() error { return os.RemoveAll(l.dir) }

// Link writes a login file into a new folder in dir; if dir is "", in the system's folder
// for temporary files.
func (s *Server) Link(dir string) (Link, error) {
	dir, err := os.MkdirTemp(dir, "bridge-ui-")
	if err != nil {
		return Link{}, err
	}
	l := Link{dir}
	var text bytes.Buffer
	page := template.Must(template.New("link").Parse(link))
	action := "http://" + s.door.hosts[0] + s.door.folder + "login"
	err = page.Execute(&text, map[string]string{"Action": action, "Code": s.door.code})
	if err == nil {
		err = privatefile.Write{}.File(l.Path(), text.Bytes())
	}
	if err != nil {
		return Link{}, errors.Join(err, l.Remove())
	}
	return l, nil
}
