// Package table judges commands in safe and restricted mode, where no shell
// runs. A real shell parser reads the command, a small grammar is accepted
// (simple commands joined by | && || ;), and each program and each of its
// options must be in a table. The answer is the steps that would run: argument
// lists that the bridge built itself, how they are connected, and the few
// redirections that are allowed. Whatever a table does not know is refused, so
// a mistake here is most likely to refuse something harmless.
//
//   - grammar.go and words.go turn bytes into words, and refuse all expansion.
//   - options.go is the one reader of options. It follows getopt: clusters,
//     attached values, --long=value and "--". Abbreviations are unknown options.
//   - options_*.go hold the rows: command, option, kind of value, and why.
//   - programs.go holds the programs; reach.go says which paths each may name.
package table
