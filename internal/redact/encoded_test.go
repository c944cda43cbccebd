package redact_test

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

// powerShell encodes a command as powershell -EncodedCommand expects it: UTF-16,
// little-endian, in base64.
func powerShell(command string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(command)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// TestRedactPowerShell checks that an encoded command with a secret is hidden as
// a whole, and that one without a secret is not changed.
func TestRedactPowerShell(t *testing.T) {
	for seed := range uint64(40) {
		g := seeded(seed)
		password := g.alnum(12) + "7x!"
		for _, command := range []string{
			"$env:DB_PASSWORD = '" + password + "'; ./deploy.ps1",
			"Connect-Service -User bob -Password '" + password + "'",
			"$p = ConvertTo-SecureString '" + password + "' -AsPlainText -Force",
			"Invoke-RestMethod -Headers @{Authorization = 'Bearer " + g.published() + "'} https://x.example.org",
		} {
			for _, before := range []string{"powershell -EncodedCommand ", "pwsh -NoProfile -enc ", "powershell.exe -e "} {
				in := before + powerShell(command) + "\nPORT=80\n"
				out := redactString(in)
				if !strings.HasPrefix(out, before) || !strings.HasSuffix(out, "_REDACTED\nPORT=80\n") || strings.Count(out, "\n") != 2 || len(out) > len(before)+40 {
					t.Errorf("seed %d: %q: Redact(%q) = %q", seed, command, in, out)
				}
			}
		}
		in := "powershell -EncodedCommand " + powerShell("Get-ChildItem C:/"+g.word()+" | Select-Object Name, Length -First "+g.chars(decimals, 2)) + "\n"
		if out := redactString(in); out != in {
			t.Errorf("seed %d: Redact(%q) = %q", seed, in, out)
		}
	}
}
