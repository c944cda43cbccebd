// Package verdict has the parts of a decision of the command guard: the mode that
// was requested, the limits and the parser of a command, the refusals, and the plan
// of what would run.
package verdict
