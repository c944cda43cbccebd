package redact_test

import (
	"encoding/base64"
	"html"
	"net/url"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// passwordStyles are the forms of passwords that password managers, browsers,
// frameworks and people use, each with the signs that it contains.
var passwordStyles = map[string]func(g generator) string{
	"Terraform":       func(g generator) string { return g.mixed(16+g.IntN(17), "!@#$%&*()-_=+[]{}<>:?") },
	"1Password":       func(g generator) string { return g.mixed(20, "!@.-_*") },
	"Bitwarden":       func(g generator) string { return g.mixed(14+g.IntN(10), "!@#$%^&*") },
	"KeePass":         func(g generator) string { return g.mixed(20, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") },
	"pwgen":           func(g generator) string { return g.mixed(16, "!\"#$%&'()*+,-./:;<=>?@[\\]^_{|}~") },
	"a browser":       func(g generator) string { return g.mixed(15, "-_.:!") },
	"Django":          func(g generator) string { return g.chars(lowers+decimals+"!@#$%^&*(-_=+)", 50) },
	"AWS":             func(g generator) string { return g.mixed(32, "!#$%&()*+,-.:;<=>?[]^_{|}~") },
	"MySQL":           func(g generator) string { return g.mixed(12, "!#%&()*+,-.:;<=>?_") },
	"Azure SQL":       func(g generator) string { return g.mixed(16, "!$%^&*()_+-=") },
	"base64":          func(g generator) string { return g.base64s(24 + g.IntN(2)*8) },
	"letters, digits": func(g generator) string { return g.alnum(20) },
	"hex":             func(g generator) string { return g.hex(32) },
	"Apple":           func(g generator) string { return g.alnum(6) + "-" + g.chars(lowers+decimals, 6) + "-" + g.alnum(6) },
	"a word":          func(g generator) string { return g.humanPassword() },
}

// mixed returns n random characters of all four kinds, with the given signs.
func (g generator) mixed(n int, signs string) string {
	for {
		s := g.chars(lowers+uppers+decimals+signs, n)
		if strings.ContainsAny(s, decimals) && strings.ContainsAny(s, uppers) && strings.ContainsAny(s, lowers) && strings.ContainsAny(s, signs) {
			return s
		}
	}
}

// notation is a way to write a name and a password. In the template, N stands for
// the name, U for the name in capitals, and S for the password as written by
// escape. Passwords that contain a character in without cannot be written in this
// way, nor can those that begin with one in notFirst.
type notation struct {
	template          string
	without, notFirst string
	escape            func(string) string
}

func doubled(quote string) func(string) string {
	return func(s string) string { return strings.ReplaceAll(s, quote, quote+quote) }
}

var (
	backslashed = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace
	content     = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
)

const yamlFirst = "!&*-?:{}[],#|>@`\"'%= "

// notations contain passwords without escapes, except for the signs that each
// cannot contain.
var notations = map[string]notation{
	".env, bare":           {"HOST=db\nU=S\nLOG_LEVEL=info\n", " #'\"\\`$", "", nil},
	".env, double quotes":  {"HOST=db\nU=\"S\"\nPORT=1\n", "\"\\$`", "", nil},
	".env, single quotes":  {"export U='S'\nexport PORT=1\n", "'", "", nil},
	"YAML, bare":           {"db:\n  host: x\n  N: S\n  port: 5432\n", " ", yamlFirst, nil},
	"YAML, single quotes":  {"db:\n  N: 'S'\n  port: 5432\n", "", "", doubled("'")},
	"YAML, double quotes":  {"db:\n  N: \"S\"\n  port: 5432\n", "", "", backslashed},
	"YAML, name and value": {"env:\n- name: U\n  value: 'S'\n- name: PORT\n  value: \"80\"\n", "", "", doubled("'")},
	"Compose, list":        {"    environment:\n      - HOST=x\n      - U=S\n", "#:{}[]&*!|>'\"%@`, ", "", nil},
	"Kubernetes":           {"kind: Secret\nmetadata:\n  name: x\nstringData:\n  N: 'S'\n", "", "", doubled("'")},
	"Ansible inventory":    {"web1 ansible_host=10.0.0.1 ansible_user=bob ansible_password=S\n", " #'\"\\", "", nil},
	"INI":                  {"[client]\nuser=bob\nN=S\nhost=localhost\n", "", " ;#\"'", nil},
	"INI, blanks":          {"[database]\nN = S\nport = 5432\n", "", " ;#\"'", nil},
	"INI, quotes":          {"[database]\nN = \"S\"\nport = 5432\n", "\"\\", "", nil},
	"properties":           {"spring.datasource.N=S\nserver.port=8080\n", "", "", strings.NewReplacer(`\`, `\\`).Replace},
	"TOML":                 {"[db]\nN = \"S\"\nport = 5432\n", "", "", backslashed},
	"TOML, literal":        {"[db]\nN = 'S'\nport = 5432\n", "'", "", nil},
	"XML, element":         {"<config>\n  <user>bob</user>\n  <N>S</N>\n</config>\n", "", "", content},
	"XML, lines":           {"<N>\n    S\n</N>\n", "", "", content},
	"XML, CDATA":           {"<config><N><![CDATA[S]]></N></config>\n", "", "", nil},
	"XML, attribute":       {"<db user=\"bob\" N=\"S\" port=\"80\"/>\n", "", "", html.EscapeString},
	"XML, add":             {"<add key=\"N\" value=\"S\" />\n<add key=\"port\" value=\"80\" />\n", "", "", html.EscapeString},
	"XML, property":        {"<property>\n  <name>a.N</name>\n  <value>S</value>\n</property>\n", "", "", content},
	"plist":                {"<key>Password</key>\n<string>S</string>\n<key>Port</key>\n", "", "", html.EscapeString},
	"JSON":                 {"{\n  \"user\": \"bob\",\n  \"N\": \"S\",\n  \"port\": 5432\n}\n", "", "", jsonString},
	"JSON, one line":       {"{\"user\":\"bob\",\"N\":\"S\",\"port\":5432}", "", "", jsonString},
	"JSON in JSON":         {"{\"body\":\"{\\\"user\\\":\\\"bob\\\",\\\"N\\\":\\\"S\\\",\\\"port\\\":5432}\"}", "", "", func(s string) string { return jsonString(jsonString(s)) }},
	"flag, single quotes":  {"app deploy --user bob --N 'S' --port 80\n", "'", "", nil},
	"flag, equals sign":    {"app deploy --user=bob --N='S' --port=80", "'", "", nil},
	"flag, double quotes":  {"app deploy --N \"S\" --port 80", "\"\\$`!", "", nil},
	"flag, bare":           {"app deploy --N S --port 80", " '\"\\$`!&|;<>()*?[]{}#~", "-", nil},
	"docker -e":            {"docker run -p 8080:80 -e U='S' -e PORT=80 img:1", "'", "", nil},
	"before a command":     {"U='S' ./run.sh --fast", "'", "", nil},
	"helm --set":           {"helm upgrade db x/y --set auth.password='S' --set auth.user=bob", "',\\", "", nil},
	"curl -u":              {"curl -s -u 'bob:S' https://x.example.org/api", "'", "", nil},
	"mysql -p":             {"mysql -u root -p'S' app < dump.sql", "'", "", nil},
	"URL":                  {"DATABASE_URL=postgres://bob:S@db.example.org:5432/app?sslmode=disable", "", "", url.QueryEscape},
	"query":                {"https://x.example.org/login?user=bob&N=S&next=%2Fhome", "", "", url.QueryEscape},
	"form":                 {"POST /login HTTP/1.1\r\nHost: x\r\n\r\nusername=bob&password=S&csrf=1", "", "", url.QueryEscape},
	"connection string":    {"Server=tcp:db.example.org,1433;User Id=bob;Password=S;Encrypt=True;", ";\"'", "", nil},
	"libpq":                {"psql \"host=db user=bob password='S' dbname=app\"", "\"$`\\'", "", nil},
	"SQL":                  {"CREATE USER bob WITH PASSWORD 'S';\nGRANT ALL ON DATABASE app TO bob;", "", "", doubled("'")},
	"SQL, identified":      {"ALTER USER 'root'@'localhost' IDENTIFIED BY 'S';", "'\\", "", nil},
	"PowerShell":           {"$env:U = 'S'\nStart-Service x", "'", "", nil},
	"cmd":                  {"set U=S\r\nset PORT=80\r\n", "%^&|<> \"", "", nil},
	"Dockerfile":           {"FROM alpine\nENV U=S\nCMD [\"run\"]\n", " $\\\"'`", "", nil},
	"Dockerfile, blank":    {"FROM alpine\nENV U S\nCMD [\"run\"]\n", " $\\\"'`", "=<>|&", nil},
	"systemd":              {"[Service]\nEnvironment=\"U=S\"\nExecStart=/usr/bin/app\n", "\"\\%$", "", nil},
	"Python":               {"conn = connect(host=\"db\", user=\"bob\", N=\"S\", port=5432)", "", "", backslashed},
	"Go":                   {"cfg := Config{User: \"bob\", Password: `S`, Port: 5432}", "`", "", nil},
	"JavaScript":           {"const db = { user: 'bob', N: 'S', port: 5432 };", "'\\", "", nil},
	"PHP":                  {"define('U', 'S');\ndefine('PORT', 80);", "'\\", "", nil},
	"Rust":                 {"let N = r#\"S\"#;", "\"#", "", nil},
	"Swift":                {"let N: String = \"S\"\n", "", "", backslashed},
	"C#":                   {"var N = @\"S\";", "", "\"", doubled(`"`)},
	"Basic":                {"Const N As String = \"S\"", "", "\"", doubled(`"`)},
	"Clojure":              {"{:user \"bob\" :password \"S\" :port 5432}", "", "", backslashed},
	"Erlang":               {"[{user, \"bob\"}, {password, \"S\"}, {port, 5432}].", "", "", backslashed},
	"Terraform":            {"db_user = \"bob\"\nN     = \"S\"\n", "$%", "", backslashed},
	".netrc":               {"machine api.example.org\n  login bob\n  password S\n", " ", "", nil},
	".pgpass":              {"db.example.org:5432:app:bob:S\n", "", "", strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace},
	"Markdown, column":     {"| host | user | password |\n|---|---|---|\n| db | bob | S |\n", "| ", "", nil},
	"Markdown, row":        {"| Key | Value |\n|---|---|\n| host | `db` |\n| password | `S` |\n", "|`", "", nil},
	"Markdown, code":       {"The password for the staging box is `S`, please rotate it.", "`", "", nil},
	"prose":                {"hey, the db password is S and the user is bob", " `", "", nil},
	"prose, colon":         {"The admin password is: S\nLet me know when done.", " `", "", nil},
	"list":                 {"Credentials:\n- user: bob\n- password: S\n- url: https://x.example.org\n", " ", "", nil},
	"log":                  {"2026-05-01T10:00:00Z DEBUG connect host=db N=S timeout=5s", " \"'\\", "", nil},
	"diff":                 {"@@ -1,3 +1,3 @@\n host=db\n-N=old\n+N=S\n port=80\n", "", " ;#\"'", nil},
	"here-document":        {"cat > .env <<'EOF'\nUSER=bob\nU=S\nEOF\n", " #'\"\\`$", "", nil},
	"base64 of a file": {"S", "", "", func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte("DB_PASSWORD='" + s + "'\nPORT=1\n"))
	}},
}

// TestEvalNotations measures how many passwords of each style are hidden as a
// whole in each notation.
func TestEvalNotations(t *testing.T) {
	each := 1
	if *evaluate {
		each = 20
	}
	g := newGenerator()
	var e redact.Engine
	by := map[string]*measured{}
	for _, how := range sortedKeys(notations) {
		n := notations[how]
		for _, style := range sortedKeys(passwordStyles) {
			for range each {
				text, secret, ok := n.write(g, passwordStyles[style](g))
				if !ok {
					continue
				}
				out, _ := e.Redact(text)
				for _, key := range []string{"dialect " + how, "kind " + style, "all"} {
					if by[key] == nil {
						by[key] = &measured{}
					}
					by[key].add(leftOf(secret, out) < max(minWord, len(secret)/4), text+" -> "+out)
				}
			}
		}
	}
	report(t, by, 0.97)
}

// minWord is the maximum length of a part of the secret that may occur elsewhere
// by chance.
const minWord = 6

// write inserts a password into the notation. It returns the text, and the
// password as it is written there.
func (n notation) write(g generator, password string) (text, secret string, ok bool) {
	if strings.ContainsAny(password, n.without) || strings.ContainsAny(password[:1], n.notFirst) || strings.Contains(password, "]]>") {
		return "", "", false
	}
	secret = password
	if n.escape != nil {
		secret = n.escape(password)
	}
	name := g.pick("password", "db_password", "admin_password", "smtp_password", "client_secret", "root_password", "redis_pass", "db_passwd", "keystore_password")
	return replaceLetter(n.template, map[byte]string{'N': name, 'U': strings.ToUpper(name), 'S': secret}), secret, true
}

// leftOf returns the length of the longest piece of secret that remains in out.
func leftOf(secret, out string) int {
	best := 0
	for i := range len(secret) {
		for i+best < len(secret) && strings.Contains(out, secret[i:i+best+1]) {
			best++
		}
	}
	return best
}
