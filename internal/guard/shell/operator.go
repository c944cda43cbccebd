package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// checkOperator refuses the operator's commands of the bridge, under any name.
func (w *walker) checkOperator(inv invocation) error {
	words := make([]string, 0, len(inv.args))
	for _, a := range inv.args {
		words = append(words, strings.ToLower(a.text))
	}
	if inv.name == "bridge" {
		for _, word := range words {
			switch word {
			case "tokens", "cleanup", "uninstall", "reassign", "say", "pause", "resume", "limits":
				return errOperator
			case "yolo":
				if !slices.Contains(words, "explain") {
					return errOperator
				}
			}
		}
	}
	if _, lang := interpreterFor(inv.name); lang != nil || dataCommands()[inv.name] != "" || readers()[inv.name] != "" || textPrograms()[inv.name] != "" || firstIsText[inv.name] {
		return nil // text, or code that is inspected elsewhere
	}
	for i := 0; i+1 < len(words); i++ {
		if words[i] == "yolo" && operatorVerbs[words[i+1]] {
			return errOperator
		}
	}
	for _, word := range words {
		for verb := range operatorVerbs {
			if strings.Contains(word, "bridge yolo "+verb) {
				return errOperator
			}
		}
	}
	return nil
}

var errOperator = verdict.Refuse(verdict.OperatorOnly, "the bridge's operator commands are for the human at the terminal: ask for approval through the tool")

var operatorVerbs = map[string]bool{
	"enable": true, "disable": true, "approve": true, "deny": true, "cleanup": true, "rollback": true, "grant": true,
}
