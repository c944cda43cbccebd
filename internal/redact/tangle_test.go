package redact_test

import (
	"testing"

	"example.org/bridge/internal/redact"
)

// TestRedactWholePasswords checks that a password is hidden to its last sign, and
// nothing after it.
func TestRedactWholePasswords(t *testing.T) {
	g := newGenerator()
	tests := []struct{ name, in, want string }{
		{"a plus in front", "AWS_SECRET_ACCESS_KEY=+" + g.alnum(39), "AWS_SECRET_ACCESS_KEY=AWS_KEY_REDACTED"},
		{"a word, a dot, a number", "DB_PASSWORD=Sommer.1234x\n", "DB_PASSWORD=PASSWORD_REDACTED\n"},
		{"brackets and a bar", "password=XcU4NwZ|KZg}.Us?\n", "password=PASSWORD_REDACTED\n"},
		{"an open bracket", "password: crI4zEL6fs02U(\n", "password: PASSWORD_REDACTED\n"},
		{"a list of assignments", "password=Sommer1234!,port=1", "password=PASSWORD_REDACTED,port=1"},
		{"helm", "helm upgrade x --set auth.password=Sommer1234!,auth.user=bob", "helm upgrade x --set auth.password=PASSWORD_REDACTED,auth.user=bob"},
		{"an ampersand in a variable", "PASSWORD=correct&horse=staple1\n", "PASSWORD=PASSWORD_REDACTED\n"},
		{"an ampersand in a form", "password=Tr0ub4dor3x&user=bob\n", "password=PASSWORD_REDACTED&user=bob\n"},
		{"Django", "SECRET_KEY=django-insecure-#k2$8(x!q@z9v^w7&t5*r3)e1_y0+u-i=o[p\n", "SECRET_KEY=SECRET_REDACTED\n"},
		{"a flag", "mysql --password=XcU4NwZ;KZg}.Us? -u root", "mysql --password=PASSWORD_REDACTED -u root"},
		{"prose", "the password is XcU4NwZ|KZg}.Us? and the user bob", "the password is PASSWORD_REDACTED and the user bob"},
		{"a comma at the end", "PASSWORD=x9(Xx2{mW,\nPORT=1", "PASSWORD=PASSWORD_REDACTED\nPORT=1"},
		{"digits alone", "API_KEY=847362519038\n", "API_KEY=API_KEY_REDACTED\n"},
		{"digits alone, quoted", "api_key: \"847362519038\"\n", "api_key: \"API_KEY_REDACTED\"\n"},
		{"digits alone, blanks around the sign", "[smtp]\npassword = 138442159842952405\nport = 587\n", "[smtp]\npassword = PASSWORD_REDACTED\nport = 587\n"},
		{"a key of digits alone, blanks around the sign", "api_key = 138442159842952405\n", "api_key = API_KEY_REDACTED\n"},
		{"digits in a sentence", "The database password is 007160662861 now.", "The database password is PASSWORD_REDACTED now."},
		{"a number that code works with", "secret = 12345\npassword = 1000000000\n", "secret = 12345\npassword = 1000000000\n"},
		{"a length in a sentence", "the password is 64 characters long", "the password is 64 characters long"},
		{"an ampersand in a sentence", "the password is aB3$x&foo=barbaz17QQ and more", "the password is PASSWORD_REDACTED and more"},
		{"Django in a sentence", "the database password is django-insecure-hi7u71ndtn9i-*%a+%sq5h(smv)!jd&54=&y47=yr25s45g+7( and more", "the database password is SECRET_REDACTED and more"},
		{"Django as Django writes it", "SECRET_KEY = 'django-insecure-tb_@ygapehnsnxfq214ed_(igec6k&ic=x$x=2iy)sa)*8$)5w'\nDEBUG = True\n", "SECRET_KEY = 'SECRET_REDACTED'\nDEBUG = True\n"},
		{"Django without quotes", "export SECRET_KEY=django-insecure-nkhxt*8#f_&*&$paf!!snxmaw!1lws2_70x8%e01)(%ldq%dcr\n", "export SECRET_KEY=SECRET_REDACTED\n"},
		{"a number in JSON", "{\"api_key\": 847362519038}", "{\"api_key\": 847362519038}"},
		{"a file in base64", "ENV_FILE=" + encoded("DB_PASSWORD=hunter2-long\nDB_HOST=db.example.org\n") + "\nPORT=1", "ENV_FILE=PASSWORD_REDACTED\nPORT=1"},
		{"what looks like a call", "password: QAdKB(#sL9iEOOMta34UE*Eh>\n", "password: PASSWORD_REDACTED\n"},
		{"what looks like a call of a number", "secret=5rd(m80F0rLw]88kT\n", "secret=SECRET_REDACTED\n"},
		{"what looks like a template", "Server=h;Password=g%s$kX&X@&Z7agVy;Encrypt=True;", "Server=h;Password=PASSWORD_REDACTED;Encrypt=True;"},
		{"what looks like a placeholder", "password: \"{Qm%iYU2*{Xl_xUEpC6(R}\"\n", "password: \"PASSWORD_REDACTED\"\n"},
		{"a backtick and a quote", "password = E{AY;M1B$l&6'FN'`p.e\nport = 1\n", "password = PASSWORD_REDACTED\nport = 1\n"},
		{"a backslash in a connection string", "Host=h;Password=xOn\\P:C$94)`LE-.xe8F;Port=1", "Host=h;Password=PASSWORD_REDACTED;Port=1"},
		{"an equals sign in a small name's value", "db_passwd==)9zFSN-0Y:37eTbkpSJ>%Q1W\n", "db_passwd=PASSWORD_REDACTED\n"},
		{"a blank as the operator", "ENV DB_PASSWORD f72<@wp+>PuI]_120OD&<[!Ec#KMz(6\nCMD x", "ENV DB_PASSWORD PASSWORD_REDACTED\nCMD x"},
		{"netrc", "machine h\n  login bob\n  password mlcD_U)9(60V7&Cs!)m}\n", "machine h\n  login bob\n  password PASSWORD_REDACTED\n"},
		{"pgpass with an escaped colon", "db.example.org:5432:app:bob:TTYB=1F\\:O?A$wljA(kKHi7$gZK&\n", "db.example.org:5432:app:bob:PASSWORD_REDACTED\n"},
		{"a whole string", "Environment=\"DB_PASSWORD=i(0e'9{N[V2XJkNT=2r/\"\n", "Environment=\"DB_PASSWORD=PASSWORD_REDACTED\"\n"},
		{"XML content without capitals", "<redis_pass>^1yk-i)yz^^x(61bhkrm%hc1ndh#$bnp_tbp0e8</redis_pass>", "<redis_pass>PASSWORD_REDACTED</redis_pass>"},
		{"XML content that is a word and a number", "<value>x</value><password>Kerberos.3552$</password>", "<value>x</value><password>PASSWORD_REDACTED</password>"},
		{"CDATA", "<password><![CDATA[m7eWh:=oq9Fj5oa4<4%TZDH]]></password>", "<password><![CDATA[PASSWORD_REDACTED]]></password>"},
		{"a > in a string behind a name with a colon", "{:user \"bob\" :password \"T1nLA7h4yQVrs+&kmD[vv>\" :port 1}", "{:user \"bob\" :password \"PASSWORD_REDACTED\" :port 1}"},
		{"a variable of PowerShell", "$env:LDAP_BIND_PW = ':u*O>8cE]JgPO-OhT:'\n", "$env:LDAP_BIND_PW = 'PASSWORD_REDACTED'\n"},
		{"a doubled quote", "ALTER USER bob WITH PASSWORD 'OtQ}Md=OVz''C]}+(#!6d';\nSELECT 'a';", "ALTER USER bob WITH PASSWORD 'PASSWORD_REDACTED';\nSELECT 'a';"},
		{"a tuple", "[{user, \"bob\"}, {password, \"T1nLA7h4yQVrs\"}, {port, 5432}].", "[{user, \"bob\"}, {password, \"PASSWORD_REDACTED\"}, {port, 5432}]."},
		{"a raw string", "let password = r#\"x9(kQ2z\"#;", "let password = r#\"PASSWORD_REDACTED\"#;"},
		{"the cell beside a name", "| host | `db` |\n| password | `x9(kQ2z!7` |\n", "| host | `db` |\n| password | `PASSWORD_REDACTED` |\n"},
		{"the type beside a name", "| name | VARCHAR(255) |\n| password | VARCHAR(255) |\n| token | text |\n", "| name | VARCHAR(255) |\n| password | VARCHAR(255) |\n| token | text |\n"},
		{"an empty string", "password='' host='h'", "password='' host='h'"},
		{"a tuple of a scanner", "{token.IMAG, \"012345678901234567889i\", literal},", "{token.IMAG, \"012345678901234567889i\", literal},"},
		{"an index", "password = x[\"a1B2\"]\n", "password = x[\"a1B2\"]\n"},
		{"a call", "secret = tls13.NewEarlySecret(hash.New, nil)", "secret = tls13.NewEarlySecret(hash.New, nil)"},
		{"an expression", "onePass = _sqlite3WhereOkOnePass(tls, p, bp+80)", "onePass = _sqlite3WhereOkOnePass(tls, p, bp+80)"},
		{"a truth of an element", "hasToken: !!process.env[\"GEMINI_TOKEN_X\"],", "hasToken: !!process.env[\"GEMINI_TOKEN_X\"],"},
		{"a truth of a variable", "var isCollection = (token2) => !!token2 && x;", "var isCollection = (token2) => !!token2 && x;"},
		{"a truth of a condition", "token.closed = !!(match[3] || match[4]);", "token.closed = !!(match[3] || match[4]);"},
		{"an optional member", "apiKeyEnvKey: cfg?.apiKeyEnvKey ?? null", "apiKeyEnvKey: cfg?.apiKeyEnvKey ?? null"},
		{"the fingerprint of a key", "Release GPG key: F3EF5F62A87FC27A22E643F714CE4FF5015AA242", "Release GPG key: F3EF5F62A87FC27A22E643F714CE4FF5015AA242"},
		{"a commit behind a symbol", "Fix versions not to use WeakCallbackInfo::IsFirstPass 615c19d9e03d4be2049c10db0151edbc3b229246", "Fix versions not to use WeakCallbackInfo::IsFirstPass 615c19d9e03d4be2049c10db0151edbc3b229246"},
		{"the key of an object", "S3 key: exports/2026/11/edbbcb6f-bb37-4cd8-9fb9-a8e7d3eb35bb.parquet (745 MB)", "S3 key: exports/2026/11/edbbcb6f-bb37-4cd8-9fb9-a8e7d3eb35bb.parquet (745 MB)"},
		{"signs in front", "PASSWORD=!!abc123xyz\n", "PASSWORD=PASSWORD_REDACTED\n"},
		{"40 digits of hex as a key", "api_key: f3ef5f62a87fc27a22e643f714ce4ff5015aa242\n", "api_key: API_KEY_REDACTED\n"},
		{"a template", "PASSWORD=${DB_PASSWORD:-}", "PASSWORD=${DB_PASSWORD:-}"},
		{"the prompt", "password: must have 12 characters, A-Z, 0-9 & !", "password: must have 12 characters, A-Z, 0-9 & !"},
	}
	var e redact.Engine
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := e.Redact(tt.in); got != tt.want {
				t.Errorf("Redact(%q)\n= %q,\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}
