// Package verdict holds what a decision of the command guard is made of: the
// mode that was asked for, the limits and the parser of a command, and the plan
// of what would run.
package verdict
