package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// refusedVariables change what runs or hide what ran, whatever their value.
var refusedVariables = expandNames([]struct{ names, why string }{
	{"HISTFILE HISTSIZE HISTFILESIZE HISTCONTROL HISTIGNORE", "it changes the shell's history"},
	{"BASH_ENV ENV PROMPT_COMMAND PS0 PS4 BASH_FUNC LESSOPEN LESSCLOSE SHELLOPTS BASHOPTS ZDOTDIR FPATH INPUTRC VIMINIT EXINIT", "it runs code in other programs"},
	{"YOLO_MODE BRIDGE_DB BRIDGE_TOKEN BRIDGE_SESSION_ID BRIDGE_CONVERSATION_ID CLAUDECODE", "it belongs to the bridge or the agent"},
	{"LD_AUDIT LD_PRELOAD DYLD_INSERT_LIBRARIES GCONV_PATH GTK_MODULES", "it loads code into every program"},
	{"GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_ALLOW_PROTOCOL GIT_ATTR_SOURCE", "it gives git settings that run programs"},
	{"PYTHONSTARTUP PYTHONHOME PERL5DB PERL5OPT", "it runs code in an interpreter"},
	{"LUA_INIT", "it runs code in an interpreter"},
	{"TAR_OPTIONS GREP_OPTIONS MAKEFILES GNUMAKEFLAGS RSYNC_CONNECT_PROG", "it adds options or files that were not approved"},
	{"DOCKER_HOST DOCKER_CONTEXT CONTAINER_HOST", "it runs containers on another host"},
	{"RUSTC CARGO_BUILD_RUSTC CARGO_BUILD_RUSTC_WRAPPER", "it replaces the compiler with another program"},
})

// refusedVariablePrefixes are the prefixes of such variables, compared in upper
// case.
var refusedVariablePrefixes = []struct{ prefix, why string }{
	{"BASH_FUNC_", "it defines a function in every shell"},
	{"LUA_INIT_", "it runs code in an interpreter"},
	{"GIT_CONFIG_KEY_", "it gives git settings that run programs"},
	{"GIT_CONFIG_VALUE_", "it gives git settings that run programs"},
	{"NPM_CONFIG_SCRIPT_SHELL", "it replaces the shell with another program"},
	{"NPM_CONFIG_GIT", "it replaces git with another program"},
	{"NPM_CONFIG_PREFIX", "it installs outside the workspace"},
}

// commandVariables hold commands that other programs run.
var commandVariables = expandNames([]struct{ names, why string }{
	{"GIT_SSH_COMMAND GIT_SSH GIT_PAGER GIT_EDITOR GIT_EXTERNAL_DIFF GIT_SEQUENCE_EDITOR GIT_ASKPASS SSH_ASKPASS SUDO_ASKPASS GIT_PROXY_COMMAND PAGER MANPAGER EDITOR VISUAL BROWSER FCEDIT RSYNC_RSH CVS_RSH", "it is run as a command"},
	{"SVN_SSH SVN_EDITOR HGEDITOR CC CXX RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER PKG_CONFIG SHELL", "it is run as a command"},
})

// loadingVariables name folders or files from which programs load code.
var loadingVariables = expandNames([]struct{ names, why string }{
	{"PATH LD_LIBRARY_PATH DYLD_LIBRARY_PATH LOCPATH PYTHONPATH PYTHONUSERBASE PERL5LIB RUBYLIB NODE_PATH EMACSLOADPATH CARGO_HOME GOENV", "programs or libraries are loaded from it"},
	{"XDG_CONFIG_HOME GIT_DIR OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES CURL_HOME WGETRC DOCKER_CONFIG KUBECONFIG GNUPGHOME ANSIBLE_CONFIG", "settings are read from it"},
	{"PIP_CONFIG_FILE BUNDLE_GEMFILE COMPOSER_HOME TERMINFO QT_PLUGIN_PATH GIT_OBJECT_DIRECTORY GIT_SSH SSH_ASKPASS RUSTC_WRAPPER GIT_PROXY_COMMAND GIT_ASKPASS SHELL PKG_CONFIG NODE_OPTIONS RUBYOPT MAVEN_OPTS", "code is loaded from it"},
	{"PSQLRC RUSTC_WORKSPACE_WRAPPER RUSTFLAGS CARGO_BUILD_RUSTFLAGS CORECLR_PROFILER_PATH DOTNET_STARTUP_HOOKS DOTNET_ADDITIONAL_DEPS PHPRC PHP_INI_SCAN_DIR R_PROFILE R_PROFILE_USER R_ENVIRON R_ENVIRON_USER R_LIBS R_LIBS_USER JULIA_LOAD_PATH JULIA_DEPOT_PATH GEM_HOME GEM_PATH LUA_PATH LUA_CPATH ERL_LIBS CLASSPATH", "code is loaded from it"},
	{"ANSIBLE_LIBRARY ANSIBLE_FILTER_PLUGINS ANSIBLE_CALLBACK_PLUGINS CMAKE_TOOLCHAIN_FILE CMAKE_MODULE_PATH LIBGL_DRIVERS_PATH VK_ICD_FILENAMES VK_LAYER_PATH GIO_EXTRA_MODULES NLSPATH BASH_LOADABLES_PATH GST_PLUGIN_PATH", "code is loaded from it"},
})

// sharedFolders are folders in which any program may have put files.
var sharedFolders = []string{"/tmp/", "/var/tmp/", "/dev/shm/"}

// loadingOptions are options inside a variable's value that load or run code.
var loadingOptions = map[string]string{
	"JAVA_TOOL_OPTIONS": "-javaagent -agentlib -agentpath OnError OnOutOfMemoryError", "_JAVA_OPTIONS": "-javaagent -agentlib -agentpath OnError OnOutOfMemoryError",
	"JDK_JAVA_OPTIONS": "-javaagent -agentlib -agentpath OnError OnOutOfMemoryError", "MAVEN_OPTS": "-javaagent -agentlib -agentpath",
	"GOFLAGS": "-toolexec -exec -overlay -modfile -vettool", "MAKEFLAGS": "--eval -f SHELL= -C", "NODE_OPTIONS": "data: http:", "RUBYOPT": "-r -I -e",
	"ERL_FLAGS": "-eval -run -s", "ERL_AFLAGS": "-eval -run -s", "ERL_ZFLAGS": "-eval -run -s", "ELIXIR_ERL_OPTIONS": "-eval -run -s",
	"LESS": "!", "PS1": "$( `", "PS2": "$( `", "PS3": "$( `", "PYTHONBREAKPOINT": "os. subprocess. pty. shutil.", "PYTHONWARNINGS": "antigravity",
}

// isWrittenVariable reports whether a variable names a file or folder that
// programs write to.
func isWrittenVariable(name string) bool {
	return strings.HasPrefix(name, "GIT_TRACE") ||
		has("SQLITE_HISTORY GDBHISTFILE LESSHISTFILE PYTHON_HISTORY GIT_INDEX_FILE GIT_OBJECT_DIRECTORY LD_DEBUG_OUTPUT LD_PROFILE_OUTPUT MALLOC_TRACE COVERAGE_FILE GOCOVERDIR", name)
}

// checkSetting checks the value that a variable is set to, whether before a
// command, by export or by env.
func (w *walker) checkSetting(name string, v value, s *state) error {
	if err := refusedSetting(name, v.text); err != nil {
		return err
	}
	if loadingVariables()[name] != "" {
		for part := range strings.SplitSeq(v.text, ":") {
			if isSharedPlace(part) || (part == "." && has("PATH LD_LIBRARY_PATH", name)) {
				return verdict.Refuse(verdict.Environment, "setting %s to a shared folder is refused, because %s", name, loadingVariables()[name])
			}
		}
	}
	for option := range strings.FieldsSeq(loadingOptions[name]) {
		if strings.Contains(v.text, option) {
			return verdict.Refuse(verdict.Environment, "this value of %s runs or loads other code", name)
		}
	}
	if isWrittenVariable(name) && strings.Contains(v.text, "/") {
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
	}
	if name == "GIT_WORK_TREE" {
		w.workTrees = append(w.workTrees, v)
	}
	if isCommandVariable(name) {
		in := input{}
		if isFed(name) {
			in.kind = inputPipe
		}
		if err := w.nested(v.text, s.copy(), in); err != nil {
			return err
		}
	}
	return nil
}

// isCommandVariable reports whether a variable's value is run as a command.
func isCommandVariable(name string) bool {
	switch {
	case strings.HasPrefix(name, "CARGO_TARGET_"):
		return strings.HasSuffix(name, "_RUNNER") || strings.HasSuffix(name, "_LINKER")
	case strings.HasPrefix(name, "CMAKE_"):
		return strings.HasSuffix(name, "_LAUNCHER")
	}
	return commandVariables()[name] != ""
}

// isFed reports whether the command in a variable reads data that another program
// writes. Editors and compilers do not.
func isFed(name string) bool {
	for _, part := range []string{"PAGER", "SSH", "RSH", "DIFF", "PROXY", "ASKPASS"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

func refusedSetting(name, text string) error {
	why := refusedVariables()[name]
	upper := strings.ToUpper(name)
	for _, p := range refusedVariablePrefixes {
		if strings.HasPrefix(upper, p.prefix) {
			why = p.why
		}
	}
	if (name == "GIT_CONFIG_GLOBAL" || name == "GIT_CONFIG_SYSTEM") && text != "/dev/null" && text != "" {
		why = "it gives git settings that run programs"
	}
	if why == "" {
		return nil
	}
	return verdict.Refuse(verdict.Environment, "setting %s is refused, because %s", name, why)
}

func isSharedPlace(text string) bool {
	for _, dir := range sharedFolders {
		if strings.HasPrefix(text+"/", dir) || strings.Contains(text, " "+dir) || strings.Contains(text, "="+dir) {
			return true
		}
	}
	return false
}
