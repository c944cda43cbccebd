// Package deploy holds what an operator copies: units of systemd and rules of
// Prometheus. Its tests hold them to the program.
package deploy
