package paths

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// CommandPath is the PATH of commands: the system's program folders, none of
// which a command can write to.
const CommandPath = "/usr/local/bin:/usr/bin:/bin"

// CommandHome is the HOME of commands. No home folder is mounted in the sandbox.
const CommandHome = "/tmp"

// CommandEnvironment returns the whole environment of a command with the given
// PATH and HOME.
func CommandEnvironment(searchPath, home string) []string {
	return []string{"PATH=" + searchPath, "LANG=C.UTF-8", "TERM=dumb", "HOME=" + home, "GIT_TERMINAL_PROMPT=0"}
}

// ProgramFolder returns the folder in which a tool folder keeps its programs: its
// subfolder bin if there is one, otherwise the folder itself.
func ProgramFolder(tools string) string {
	bin := path.Join(tools, "bin")
	if info, err := os.Stat(bin); err == nil && info.IsDir() {
		return bin
	}
	return tools
}

// SearchPath returns the PATH of commands that have tool folders, which come
// first.
func SearchPath(tools []string) string {
	folders := make([]string, 0, len(tools)+1)
	for _, dir := range tools {
		folders = append(folders, ProgramFolder(dir))
	}
	return strings.Join(append(folders, CommandPath), ":")
}

// ProxyPort is the port of the proxy for a command that may reach a few domains,
// on the loopback interface of the command's own network.
const ProxyPort = 3128

// ProxyEnvironment returns the variables that make programs use that proxy.
// Programs look for the names in upper or in lower case.
func ProxyEnvironment() []string {
	address := "http://127.0.0.1:" + strconv.Itoa(ProxyPort)
	var env []string
	for _, name := range []string{"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"} {
		env = append(env, name+"="+address)
	}
	return env
}
