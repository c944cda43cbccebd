// Package packaging holds what is given to the catalogues of clients: the bundle,
// the plugin and the extension. Its tests hold them to the program.
package packaging
