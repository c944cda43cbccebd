package paths

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// CommandPath is the PATH of commands: the system's folders, and none that a
// command could write.
const CommandPath = "/usr/local/bin:/usr/bin:/bin"

// CommandHome is the HOME of commands. No home is mounted in the sandbox.
const CommandHome = "/tmp"

// CommandEnvironment is the whole environment of a command, given its PATH and
// its HOME.
func CommandEnvironment(searchPath, home string) []string {
	return []string{"PATH=" + searchPath, "LANG=C.UTF-8", "TERM=dumb", "HOME=" + home, "GIT_TERMINAL_PROMPT=0"}
}

// ProgramFolder is where a folder of tools keeps its programs: its folder bin, or
// else the folder itself.
func ProgramFolder(tools string) string {
	bin := path.Join(tools, "bin")
	if info, err := os.Stat(bin); err == nil && info.IsDir() {
		return bin
	}
	return tools
}

// SearchPath is the PATH of commands that have folders of tools: these come first.
func SearchPath(tools []string) string {
	folders := make([]string, 0, len(tools)+1)
	for _, dir := range tools {
		folders = append(folders, ProgramFolder(dir))
	}
	return strings.Join(append(folders, CommandPath), ":")
}

// ProxyPort is where a command that may reach a few domains finds the proxy to
// them, on the loopback interface of its own network.
const ProxyPort = 3128

// ProxyEnvironment tells programs of that proxy. They look for these names, in
// either case.
func ProxyEnvironment() []string {
	address := "http://127.0.0.1:" + strconv.Itoa(ProxyPort)
	var env []string
	for _, name := range []string{"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"} {
		env = append(env, name+"="+address)
	}
	return env
}
