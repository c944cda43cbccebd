// Package packaging contains what is published in the catalogues of clients: the
// bundle, the plugin and the extension. Its tests check that they fit the
// program.
package packaging
