.PHONY: redact-eval

# Recall and false alarms of the redactor on generated data; see docs/redaction.md.
redact-eval:
	go test ./internal/redact -run '^TestEval|^TestDocumentsStayWhole$$|^TestTalkStays$$' -count=1 -v -redact.eval
