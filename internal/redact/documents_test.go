package redact_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// documentFormats write the same kinds of fields in the formats that agents
// paste.
var documentFormats = map[string]func(g generator) document{
	"env": envDocument, "yaml": yamlDocument, "ini": iniDocument, "http": httpDocument, "markdown": markdownDocument, "diff": diffDocument,
	"csv": csvDocument, "log": logDocument, "json": jsonDocument, "xml": xmlDocument, "compose": composeDocument, "kubernetes": kubernetesDocument,
	"wireguard": wireguardDocument, "shell": shellDocument, "terraform": terraformDocument, "toml": tomlDocument,
	"code": codeDocument, "sql": sqlDocument, "requests": requestsDocument, "key": keyDocument,
}

func upper(s string) string { return strings.ToUpper(s) }

// shellQuoted returns s as a value in an .env file or a shell, without quotes if
// possible.
func (g generator) shellQuoted(s string) (before, value, after string) {
	if strings.ContainsAny(s, " #'\"\\$`&;|<>()*?[]{}!~") {
		return "'", strings.ReplaceAll(s, "'", `'\''`), "'"
	}
	if g.IntN(3) == 0 {
		return `"`, s, `"`
	}
	return "", s, ""
}

// envQuoted returns s as a value in an .env file, without quotes unless it
// contains blanks or hashes.
func (g generator) envQuoted(s string) (before, value, after string) {
	if strings.ContainsAny(s, " #'\"\\`") || g.IntN(4) == 0 {
		if strings.ContainsAny(s, "'\"\\") {
			return `"`, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s), `"`
		}
		return g.pick("'", `"`), s, ""
	}
	return "", s, ""
}

func envDocument(g generator) document {
	var d document
	if g.IntN(2) == 0 {
		d.plain("# settings of " + g.service() + "\n")
	}
	for _, f := range g.fields() {
		before, v, after := g.envQuoted(f.value)
		if before != "" && after == "" {
			after = before
		}
		d.plain(g.pick("", "", "", "export ") + upper(f.name) + "=" + before)
		d.value(f, v)
		d.plain(after + "\n")
	}
	return d
}

// yamlScalar returns s as a YAML scalar with the same value.
func (g generator) yamlScalar(s string) (before, value, after string) {
	special := s == "" || strings.ContainsAny(s[:1], "!&*-?:{}[],#|>@`\"'%= ~") || strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.HasSuffix(s, ":")
	switch {
	case special && !strings.Contains(s, "'") || g.IntN(4) == 0 && !strings.Contains(s, "'"):
		return "'", s, "'"
	case special || g.IntN(4) == 0:
		return `"`, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s), `"`
	}
	return "", s, ""
}

func (d *document) yamlField(g generator, indent string, f field) {
	before, v, after := g.yamlScalar(f.value)
	d.plain(indent + f.name + ": " + before)
	d.value(f, v)
	d.plain(after + "\n")
}

func yamlDocument(g generator) document {
	var d document
	d.plain("# " + g.service() + "\n" + g.word() + ":\n")
	for _, f := range g.fields() {
		if g.IntN(6) == 0 {
			d.plain("  - " + g.word() + "\n")
			d.pieces = d.pieces[:len(d.pieces)-1]
		}
		d.yamlField(g, "  ", f)
	}
	return d
}

func iniDocument(g generator) document {
	var d document
	d.plain("; written by " + g.service() + "\n[" + g.word() + "]\n")
	sep := g.pick("=", " = ", ": ")
	for i, f := range g.fields() {
		if i == 6 {
			d.plain("\n[" + g.word() + "]\n")
		}
		d.plain(f.name + sep)
		d.value(f, f.value)
		d.plain("\n")
	}
	return d
}

func wireguardDocument(g generator) document {
	var d document
	d.plain("[Interface]\nPrivateKey = ")
	d.value(field{secret: true}, g.base64s(32))
	d.plainf("\nAddress = 10.%d.0.2/32\nDNS = 10.0.0.1\n\n", g.IntN(200))
	for range 1 + g.IntN(3) {
		d.plainf("[Peer]\nPublicKey = %s\n", g.base64s(32))
		if g.IntN(2) == 0 {
			d.plain("PresharedKey = ")
			d.value(field{secret: true}, g.base64s(32))
			d.plain("\n")
		}
		d.plainf("AllowedIPs = 10.%d.0.0/16\nEndpoint = vpn.example.org:51820\n\n", g.IntN(200))
	}
	return d
}

// httpCharacters are the characters that a header's value may contain.
func headerValue(g generator) string { return g.pick(g.published(), g.key(), g.alnum(32), g.hex(40)) }

func httpDocument(g generator) document {
	var d document
	d.plainf("%s /v1/%s?page=%d HTTP/1.1\r\n", g.pick("GET", "POST", "PUT"), g.word(), g.IntN(50))
	d.plainf("Host: %s.example.org\r\n", g.service())
	secret := func(before, value, after string) {
		d.plain(before)
		d.value(field{secret: true}, value)
		d.plain(after)
	}
	for range 3 + g.IntN(6) {
		switch g.IntN(13) {
		case 0:
			secret("Authorization: Basic ", base64.StdEncoding.EncodeToString([]byte(g.word()+":"+g.humanPassword())), "\r\n")
		case 1:
			secret("Authorization: Bearer ", headerValue(g), "\r\n")
		case 2:
			secret("X-Api-Key: ", headerValue(g), "\r\n")
		case 3:
			secret("Cookie: theme=dark; session=", g.base64url(32), "; lang=de\r\n")
		case 4:
			d.plainf("X-Request-Id: %s\r\n", g.uuid())
		case 5:
			d.plainf("ETag: \"%s\"\r\n", g.hex(32))
		case 6:
			d.plainf("Content-Security-Policy: script-src 'self' 'sha256-%s' 'nonce-abc'\r\n", g.base64s(32))
		case 7:
			d.plainf("Digest: SHA-256=%s\r\n", g.base64s(32))
		case 8:
			d.plainf("Content-Length: %d\r\n", g.IntN(5000))
		case 9:
			secret("X-Auth-Token: ", headerValue(g), "\r\n")
		case 10:
			d.plainf("traceparent: 00-%s-%s-01\r\n", g.hex(32), g.hex(16))
		case 11:
			d.plainf("User-Agent: %s/%d.%d\r\n", g.word(), g.IntN(9), g.IntN(9))
		default:
			d.plainf("If-None-Match: \"%s\"\r\n", g.base64s(16))
		}
	}
	d.plain("\r\n")
	if g.IntN(2) == 0 {
		d.plain("user=" + g.word() + "&")
		secret("api_key=", g.alnum(32), "&limit=20\r\n")
	}
	return d
}

func markdownDocument(g generator) document {
	var d document
	d.plainf("# Notes on %s\n\nThe service listens on port %d. Commit `%s` fixed it.\n\n", g.service(), 8000+g.IntN(999), g.hex(8))
	for _, f := range g.fields() {
		switch g.IntN(3) {
		case 0:
			d.plain("- `" + upper(f.name) + "=")
			d.value(f, noTicks(f.value))
			d.plain("`\n")
		case 1:
			d.plain("    " + f.name + ": \"")
			d.value(f, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(f.value))
			d.plain("\"\n")
		default:
			d.plain("```sh\nexport " + upper(f.name) + "='")
			d.value(f, strings.ReplaceAll(f.value, "'", "-"))
			d.plain("'\n```\n")
		}
	}
	return d
}

func noTicks(s string) string { return strings.ReplaceAll(s, "`", "-") }

func diffDocument(g generator) document {
	var d document
	d.plainf("diff --git a/%[1]s.env b/%[1]s.env\nindex %[2]s..%[3]s 100644\n--- a/%[1]s.env\n+++ b/%[1]s.env\n@@ -1,%[4]d +1,%[4]d @@\n", g.word(), g.hex(7), g.hex(7), 1+g.IntN(9))
	for _, f := range g.fields() {
		sign := g.pick("+", "-", " ")
		if g.IntN(2) == 0 {
			d.plain(sign + upper(f.name) + "=")
			d.value(f, f.value)
		} else {
			before, v, after := g.yamlScalar(f.value)
			d.plain(sign + "  " + f.name + ": " + before)
			d.value(f, v)
			d.plain(after)
		}
		d.plain("\n")
	}
	return d
}

func csvQuoted(s string) (before, value, after string) {
	if strings.ContainsAny(s, ",\"\n ") {
		return `"`, strings.ReplaceAll(s, `"`, `""`), `"`
	}
	return "", s, ""
}

func csvDocument(g generator) document {
	var d document
	d.plain("id,user,email,password,created\n")
	for range 3 + g.IntN(6) {
		before, v, after := csvQuoted(g.pick(g.randomPassword(), g.humanPassword()))
		d.plainf("%d,%s,%s@example.org,%s", g.IntN(9000), g.word(), g.word(), before)
		d.value(field{secret: true}, v)
		d.plainf("%s,2026-0%d-1%d\n", after, 1+g.IntN(9), g.IntN(9))
	}
	return d
}

func logDocument(g generator) document {
	var d document
	for _, f := range g.fields() {
		d.plainf("2026-05-%02dT12:%02d:00.%03dZ %s [%s] ", 1+g.IntN(28), g.IntN(60), g.IntN(1000), g.pick("INFO", "DEBUG", "WARN"), g.hex(8))
		f.value = strings.NewReplacer("'", "-", `"`, "-", `\`, "-", " ", "-").Replace(f.value)
		switch g.IntN(3) {
		case 0:
			d.plain("using " + upper(f.name) + "=")
			d.value(f, f.value)
			d.plainf("\n")
		case 1:
			d.plain("config " + f.name + "=\"")
			d.value(f, f.value)
			d.plainf("\" took=%dms\n", g.IntN(900))
		default:
			d.plain("request {\"" + f.name + "\": \"")
			d.value(f, f.value)
			d.plainf("\", \"status\": %d}\n", 200+g.IntN(300))
		}
	}
	return d
}

func jsonString(s string) string {
	b, _ := json.Marshal(s)
	return string(b[1 : len(b)-1])
}

func jsonDocument(g generator) document {
	var d document
	line, indent, colon := g.pick("\n", ""), g.pick("  ", ""), g.pick(": ", ":")
	d.plain("{" + line)
	fields := g.fields()
	for i, f := range fields {
		d.plain(indent + `"` + g.pick(f.name, camelName(f.name)) + `"` + colon)
		switch {
		case !f.secret && strings.Trim(f.value, decimals) == "" && f.value[0] != '0' || f.value == "true" || f.value == "false":
			d.value(f, f.value)
		default:
			d.plain(`"`)
			d.value(f, jsonString(f.value))
			d.plain(`"`)
		}
		if i+1 < len(fields) {
			d.plain(",")
		}
		d.plain(line)
	}
	d.plain("}\n")
	return d
}

func camelName(s string) string {
	parts := strings.Split(s, "_")
	c := parts[0]
	for _, p := range parts[1:] {
		c = camel(c, p)
	}
	return c
}

func xmlDocument(g generator) document {
	var d document
	// An element may contain quotes as they are, but an attribute may not.
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	attribute := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
	d.plain("<?xml version=\"1.0\"?>\n<configuration>\n")
	for _, f := range g.fields() {
		if f.secret && g.IntN(4) == 0 {
			f.value = f.value[:len(f.value)/2] + `"` + f.value[len(f.value)/2:]
		}
		name := camelName(f.name)
		switch g.IntN(3) {
		case 0:
			d.plain("  <" + name + ">")
			d.value(f, escape.Replace(f.value))
			d.plain("</" + name + ">\n")
		case 1:
			d.plain(`  <add key="` + name + `" value="`)
			d.value(f, attribute.Replace(f.value))
			d.plain("\" />\n")
		default:
			d.plain("  <property>\n    <name>" + strings.ReplaceAll(f.name, "_", ".") + "</name>\n    <value>")
			d.value(f, escape.Replace(f.value))
			d.plain("</value>\n  </property>\n")
		}
	}
	d.plain("</configuration>\n")
	return d
}

func composeDocument(g generator) document {
	var d document
	d.plainf("services:\n  %s:\n    image: %s:%d\n    ports:\n      - \"%d:80\"\n    environment:\n", g.word(), g.word(), g.IntN(20), 8000+g.IntN(999))
	list := g.IntN(2) == 0
	for _, f := range g.fields() {
		f.name = upper(f.name)
		if !list {
			d.yamlField(g, "      ", f)
			continue
		}
		if strings.ContainsAny(f.value, "#:{}[]&*!|>'\"%@`, ") {
			d.plain("      - '" + f.name + "=")
			d.value(f, strings.ReplaceAll(f.value, "'", "''"))
			d.plain("'\n")
			continue
		}
		d.plain("      - " + f.name + "=")
		d.value(f, f.value)
		d.plain("\n")
	}
	d.plainf("    volumes:\n      - ./%s:/data\n", g.word())
	return d
}

func kubernetesDocument(g generator) document {
	var d document
	d.plainf("apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  uid: %s\n  labels:\n    app: %s\ntype: Opaque\ndata:\n", g.word(), g.uuid(), g.word())
	for range 2 + g.IntN(4) {
		f := g.secretField()
		d.plain("  " + g.pick(upper(f.name), f.name, strings.ReplaceAll(f.name, "_", "-")) + ": ")
		d.value(f, base64.StdEncoding.EncodeToString([]byte(f.value)))
		d.plain("\n")
	}
	if g.IntN(2) == 0 {
		d.plainf("---\napiVersion: v1\nkind: Service\nmetadata:\n  name: %s\nspec:\n  ports:\n    - port: 80\n      targetPort: %d\n", g.word(), 8000+g.IntN(999))
	}
	return d
}

func shellDocument(g generator) document {
	var d document
	d.plain("#!/bin/sh\nset -eu\n")
	for _, f := range g.fields() {
		before, v, after := g.shellQuoted(f.value)
		d.plain("export " + upper(f.name) + "=" + before)
		d.value(f, v)
		d.plain(after + "\n")
	}
	d.plain("curl -sS -H \"Authorization: Bearer ")
	d.value(field{secret: true}, g.published())
	d.plainf("\" \\\n  \"https://%s.example.org/v1\" | jq .\ndocker run -d -p %d:80 -v ./data:/data \\\n  -e POSTGRES_PASSWORD=", g.word(), 8000+g.IntN(999))
	d.value(field{secret: true}, g.alnum(20))
	d.plainf(" \\\n  postgres:%d\n", 10+g.IntN(8))
	return d
}

func terraformDocument(g generator) document {
	var d document
	d.plainf("resource \"aws_db_instance\" \"%s\" {\n  engine = \"postgres\"\n", g.word())
	for _, f := range g.fields() {
		d.plain("  " + f.name + " = \"")
		d.value(f, strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${", "%{", "%%{").Replace(f.value))
		d.plain("\"\n")
	}
	d.plain("}\n")
	return d
}

func tomlDocument(g generator) document {
	var d document
	d.plain("[" + g.word() + "]\n")
	for _, f := range g.fields() {
		q := g.pick("'", `"`)
		v := strings.ReplaceAll(f.value, "'", "-")
		if q == `"` {
			v = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(f.value)
		}
		d.plain(f.name + " = " + q)
		d.value(f, v)
		d.plain(q + "\n")
	}
	return d
}

func codeDocument(g generator) document {
	var d document
	d.plainf("package %s\n\n// commit %s\nconst (\n", g.word(), g.hex(40))
	for _, f := range g.fields() {
		f.value = strings.NewReplacer(`\`, "-", `"`, "-", "`", "-", "'", "-").Replace(f.value)
		q := g.pick(`"`, "`", "'")
		d.plain("\t" + camelName(f.name) + " = " + q)
		d.value(f, f.value)
		d.plain(q + g.pick("", " // see the docs", ";") + "\n")
	}
	d.plainf(")\n\nfunc token(id string) string { return lookup(\"%s\", id) + \"-%s\" }\n", g.word(), g.word())
	return d
}

func sqlDocument(g generator) document {
	var d document
	for range 2 + g.IntN(4) {
		switch g.IntN(3) {
		case 0:
			d.plainf("CREATE USER %s IDENTIFIED BY '", g.word())
			d.value(field{secret: true}, strings.NewReplacer("'", "-", `\`, "-").Replace(g.randomPassword()))
			d.plain("';\n")
		case 1:
			d.plainf("ALTER ROLE %s WITH LOGIN PASSWORD '", g.word())
			d.value(field{secret: true}, strings.NewReplacer("'", "-", `\`, "-").Replace(g.randomPassword()))
			d.plain("';\n")
		default:
			d.plainf("INSERT INTO runs (id, sha, port) VALUES ('%s', '%s', %d);\n", g.uuid(), g.hex(40), 8000+g.IntN(99))
		}
	}
	return d
}

// requestsDocument returns a log as written by a web server.
func requestsDocument(g generator) document {
	var d document
	for range 3 + g.IntN(5) {
		d.plainf("10.0.%d.2 - %s [10/Oct/2026:13:55:36 +0000] \"GET /v1/%s?id=%d", g.IntN(200), g.word(), g.word(), g.IntN(900))
		if g.IntN(2) == 0 {
			d.plain(g.pick("&api_key=", "&access_token=", "&token=", "&client_secret="))
			d.value(field{secret: true}, g.pick(g.alnum(32), g.hex(32), g.base64url(32), g.published()))
			d.plainf("&page=%d", g.IntN(9))
		}
		d.plainf(" HTTP/1.1\" 200 %d \"-\" \"curl/8.%d.0\" rid=%s\n", g.IntN(9000), g.IntN(9), g.uuid())
	}
	return d
}

// keyDocument returns a text with a private key in it.
func keyDocument(g generator) document {
	var d document
	d.plainf("host: %s.example.org\nport: %d\n", g.word(), g.IntN(9999))
	block, _ := g.pemKey("PRIVATE " + "KEY")
	if g.IntN(3) == 0 {
		block = block[:strings.LastIndexByte(block, '\n')]
	}
	if g.IntN(2) == 0 {
		d.plain("tls_key: |\n  ")
		block = strings.ReplaceAll(block, "\n", "\n  ")
	}
	d.value(field{secret: true}, block)
	d.plainf("\nregion: eu-central-1\nsha256: %s\npath: /usr/local/share/%s/certificates/internal\n", g.hex(64), g.word())
	return d
}
