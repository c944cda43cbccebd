.PHONY: redact-eval

# What the generated data begins from: a number, or "random".
REDACT_SEED ?= 1

# Recall and false alarms of the redactor on generated data; see docs/redaction.md.
redact-eval:
	go test ./internal/redact -run '^TestEval|^TestDocumentsStayWhole$$|^TestOddPasswordsStayWhole$$|^TestTalkStays$$' -count=1 -v -redact.eval -redact.seed=$(REDACT_SEED)
