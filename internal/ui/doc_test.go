// Package ui_test looks at the page as a browser does, and as those would who may not.
package ui_test
