package verdict

// Rule is the stable short name of a rule that refuses commands. The names are
// part of the output of `bridge yolo explain` and must not change.
type Rule string

// The rules about a command's text, in every mode.
const (
	UnknownMode   Rule = "unknown-mode"
	BadWorkspace  Rule = "bad-workspace"
	BadText       Rule = "bad-text"
	EmptyCommand  Rule = "empty-command"
	TooLarge      Rule = "too-large"
	SyntaxError   Rule = "syntax-error"
	PolicyFailed  Rule = "policy-failed"
	SecretPath    Rule = "secret-path"
	ProtectedPath Rule = "protected-path"
	OperatorOnly  Rule = "operator-only"
	InlineCode    Rule = "inline-code"
	GitHistory    Rule = "git-history"
	GitSetting    Rule = "git-setting"
	GitAddress    Rule = "git-address"
)

// The rules of safe and restricted mode.
const (
	NeedsRestricted   Rule = "needs-restricted"
	UnknownProgram    Rule = "unknown-program"
	UnknownSubcommand Rule = "unknown-subcommand"
	UnknownOption     Rule = "unknown-option"
	BadOptionValue    Rule = "bad-option-value"
	BadOperand        Rule = "bad-operand"
	OutsideWorkspace  Rule = "outside-workspace"
	ShellExpansion    Rule = "shell-expansion"
	ShellGlob         Rule = "shell-glob"
	ShellSyntax       Rule = "shell-syntax"
	ShellRedirection  Rule = "shell-redirection"
	ShellAssignment   Rule = "shell-assignment"
	CommandName       Rule = "command-name"
	PackageSource     Rule = "package-source"
	ProgramLocation   Rule = "program-location"
	GitDiscards       Rule = "git-discards"
)

// The rules of yolo mode.
const (
	Privilege       Rule = "privilege"
	SandboxEscape   Rule = "sandbox-escape"
	DiskTool        Rule = "disk-tool"
	MountTool       Rule = "mount-tool"
	PowerTool       Rule = "power-tool"
	KernelTool      Rule = "kernel-tool"
	FirewallTool    Rule = "firewall-tool"
	AccountTool     Rule = "account-tool"
	DeferredTool    Rule = "deferred-tool"
	MachineTool     Rule = "machine-tool"
	AttackTool      Rule = "attack-tool"
	EvaluatedText   Rule = "evaluated-text"
	Keystrokes      Rule = "keystrokes"
	UnknownCommand  Rule = "unknown-command"
	UnknownCode     Rule = "unknown-code"
	UnknownTarget   Rule = "unknown-target"
	PipedCode       Rule = "piped-code"
	DownloadedCode  Rule = "downloaded-code"
	HiddenCode      Rule = "hidden-code"
	ReverseShell    Rule = "reverse-shell"
	ForkBomb        Rule = "fork-bomb"
	KillsTooMuch    Rule = "kills-too-much"
	AttachesProcess Rule = "attaches-process"
	RemovesTooMuch  Rule = "removes-too-much"
	SystemWrite     Rule = "system-write"
	SetUserID       Rule = "set-user-id"
	ReadsTree       Rule = "reads-secrets"
	SendsSecrets    Rule = "sends-secrets"
	HostContainer   Rule = "host-container"
	ShellHistory    Rule = "shell-history"
	ShellSetting    Rule = "shell-setting"
	Environment     Rule = "environment"
	ExecRedirection Rule = "exec-redirection"
)

// advice holds, for each rule, what to write instead. It is used if the refusal
// gives no more specific advice.
var advice = map[Rule]string{
	UnknownMode:   "use safe, restricted or yolo",
	BadWorkspace:  "choose a project folder as the workspace",
	BadText:       "write plain text with ordinary spaces",
	EmptyCommand:  "write a command",
	TooLarge:      "put the work into a script in the workspace and run that",
	SyntaxError:   "correct the quotes and operators",
	PolicyFailed:  "write a simpler command",
	SecretPath:    "leave the file out, or ask your human for the one value that you need",
	ProtectedPath: "leave the file as it is, and ask your human to change it",
	OperatorOnly:  "ask for approval through the tool execute_command",
	InlineCode:    "put the code into a file in the workspace and run that",
	GitHistory:    "do not change the history or the snapshots",
	GitSetting:    "leave the setting out",
	GitAddress:    "name a configured remote, such as origin",

	NeedsRestricted:   "ask your human for restricted mode",
	UnknownProgram:    "use a program that the mode allows, or ask your human for a wider mode",
	UnknownSubcommand: "use a subcommand that the mode allows",
	UnknownOption:     "leave the option out, or write its full exact name",
	BadOptionValue:    "give the option a plain value",
	BadOperand:        "leave the argument out, or name a file in the workspace",
	OutsideWorkspace:  "name a path inside the workspace",
	ShellExpansion:    "write the value literally, or quote it with '...'",
	ShellGlob:         "quote the pattern with '...', or name the files one by one",
	ShellSyntax:       "write simple commands joined by | && || ;",
	ShellRedirection:  "leave the redirection out: the output is returned to you",
	ShellAssignment:   "leave the assignment out",
	CommandName:       "write the program's bare name",
	PackageSource:     "name a package of the registry, or a folder in the workspace",
	ProgramLocation:   "ask your human to install the program for the whole system",
	GitDiscards:       "name the paths one by one, or keep the changes with git stash",

	Privilege:       "run the command directly, as the current user",
	SandboxEscape:   "run the inner command directly",
	DiskTool:        "ask your human to do this",
	MountTool:       "ask your human to do this",
	PowerTool:       "ask your human to do this",
	KernelTool:      "ask your human to do this",
	FirewallTool:    "ask your human to do this",
	AccountTool:     "ask your human to do this",
	DeferredTool:    "run the command now",
	MachineTool:     "ask your human to do this",
	AttackTool:      "leave the command out",
	EvaluatedText:   "write the command directly",
	Keystrokes:      "run the command directly",
	UnknownCommand:  "write the command's name literally",
	UnknownCode:     "write the code literally",
	UnknownTarget:   "write the path literally",
	PipedCode:       "put the code into a file in the workspace, read it, and then run the file",
	DownloadedCode:  "download it, read it, and then ask to run it in a separate request",
	HiddenCode:      "write the code in plain text, not encoded",
	ReverseShell:    "do not attach a program to a network connection",
	ForkBomb:        "start a fixed number of processes",
	KillsTooMuch:    "name one process by its number",
	AttachesProcess: "start the program under the debugger instead",
	RemovesTooMuch:  "name the folders inside the workspace that you want to remove",
	SystemWrite:     "write inside the workspace or /tmp",
	SetUserID:       "leave the set-user-ID bit out",
	ReadsTree:       "name a more specific folder",
	SendsSecrets:    "do not send the environment",
	HostContainer:   "mount only folders of the workspace, and leave the option out",
	ShellHistory:    "do not change the shell's history",
	ShellSetting:    "leave the setting out",
	Environment:     "leave the variable out",
	ExecRedirection: "redirect a single command instead",
}

// Advice says what to write instead of a command that the rule refuses.
func (r Rule) Advice() string { return advice[r] }

// Rules returns every rule, in no particular order.
func Rules() []Rule {
	out := make([]Rule, 0, len(advice))
	for r := range advice {
		out = append(out, r)
	}
	return out
}
