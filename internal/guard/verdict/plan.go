package verdict

// When is the condition on which a step runs, given the exit status of the last
// step that ran. Applying it to the steps in order has the same effect as a
// shell's flat list of && || and ;.
type When string

// The three connectors.
const (
	Always    When = "always"     // first, or after ;
	OnSuccess When = "on_success" // after &&
	OnFailure When = "on_failure" // after ||
)

// Plan is exactly what would run. Either Steps is set (safe and restricted: no
// shell), or Shell (yolo). Its JSON form is part of the approval's digest.
type Plan struct {
	Steps []Step   `json:"steps,omitempty"`
	Shell []string `json:"shell,omitempty"`
	// Contents are the scripts that the plan runs by name, with their digests
	// when it was judged. The code that runs a plan fills them in and compares
	// them.
	Contents []Content `json:"contents,omitempty"`
}

// Content is a file of the workspace that a plan runs.
type Content struct {
	// Path is relative to the workspace, with slashes.
	Path string `json:"path"`
	// What names a part of the file, or is empty for the whole file.
	What   string `json:"what,omitempty"`
	SHA256 string `json:"sha256"`
	// Changed means that the content differs from that of an earlier request. It
	// is not part of the digest.
	Changed bool `json:"changed,omitempty"`
}

// Step is one pipeline of a list.
type Step struct {
	When   When    `json:"when"`
	Stages []Stage `json:"stages"`
}

// Stage is one program of a pipeline. The first stage reads from /dev/null.
type Stage struct {
	// Path is the absolute path of the program. It is empty for a builtin, and
	// also if the context had no LookPath: such a plan is for explanation and
	// must not be run.
	Path string `json:"path,omitempty"`
	// Argv is the complete argument list after all expansion, beginning with the
	// name.
	Argv []string `json:"argv"`
	// Builtin means that the bridge does it itself; see table.RunBuiltin.
	Builtin bool `json:"builtin,omitempty"`
	// Dir is the absolute folder it runs in; empty means the workspace.
	Dir string `json:"dir,omitempty"`
	// Env are the NAME=value words before the command.
	Env []string `json:"env,omitempty"`
	// Redirects apply in order.
	Redirects []Redirect `json:"redirects,omitempty"`
}

// Redirect sends file descriptor FD (1 or 2) to /dev/null if Null is true, and
// otherwise to wherever descriptor To (1 or 2) leads at that moment.
type Redirect struct {
	FD   int  `json:"fd"`
	To   int  `json:"to,omitempty"`
	Null bool `json:"null,omitempty"`
}
