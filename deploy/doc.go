// Package deploy contains the files that an operator copies: systemd units and
// Prometheus rules. Its tests check that they fit the program.
package deploy
