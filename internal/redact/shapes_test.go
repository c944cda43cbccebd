package redact_test

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// shape is a kind of text for which public secret scanners have rules: templates
// as in dialects, with what S stands for.
type shape struct {
	templates []string
	secret    func(g generator) string
}

func (g generator) anyToken() string {
	switch g.IntN(12) {
	case 0:
		return g.chars(hexDigits, 16)
	case 1:
		return g.chars(lowers+decimals, 17)
	case 2:
		return g.chars(lowers+uppers+decimals, 16)
	case 3:
		return g.chars(lowers+uppers+decimals, 22) + "=="
	case 4:
		return g.chars(uppers+decimals, 16)
	case 5:
		return g.chars(lowers+uppers+decimals+"-_", 43)
	default:
		return g.opaque()
	}
}

// signed returns a password of words, letters and many signs.
func (g generator) signed() string {
	return g.chars(lowers, 3) + g.chars("!#*)(]{}[", 2) + g.word() + g.chars("^-_~?", 2) + g.chars(uppers, 2) + g.chars("!#*~", 1)
}

func (g generator) userAndPassword() string {
	return base64.StdEncoding.EncodeToString([]byte(g.word() + ":" + g.password()))
}

// shapes are derived from the documentation and the rule lists of public
// scanners. The data is generated.
var shapes = map[string]shape{
	"name far before": {
		templates: []string{
			"[INFO] Sending request to the A API\n[DEBUG] Using Key=S\n[INFO] Response received: 200 OK",
			"[INFO] A client ready\n[DEBUG] key S\n", "# A\nkey = S\n", "A:\n  key: S\n", "A:\n  id: 7\n  value: S\n", "A credentials: user bob S", "A (prod): S", "A - S", "A | S", "A key S", "A => S", "\"A\": {\"k\": \"S\"}",
			"<id>A</id>\n<secret>{S}</secret>", "<id>{A S}</id>", "<scope>GLOBAL</scope><id>A</id><secret>{AQAAABAAA S}</secret>", "url := \"https://api.A.com/v1\"\nreq.Header.Set(\"X-Key\", \"S\")", "https://api.A.com/v1/S/items?limit=3",
			"A_id = 12345\nA_value = S", "A('S')", "new A(\"S\")", "A.configure(\"S\")", "import A\nclient = A.Client(\"S\")", "const A = require('A')('S');", "A.api_key = 'S'",
		},
		secret: generator.anyToken,
	},
	"middling names": {
		templates: []string{
			"access = \"S\"", "some_api = 'S'", "A_Api: \"S\"", "\"A_API\": \"S\"", "<key>ApiKey</key><string>S</string>", "<Setting name=\"Token\"><value>S</value></Setting>", "_auth = S", "define('AUTH_KEY', 'S');", "authtoken: S", "creds: S", "\"credentials\" : \"S\"", "client_id = \"S\"", "A_client: 'S'", "appid=S", "app_id: \"S\"", "apitoken: S", "authkey=\"S\"", "auth_code = 'S'",
			"A.initialize(token: \"S\",)", "initialize(key: 'S')", "x_api: \"S\"", "consumerKey=S", "ACCESS=S", "API=S", "A_Access = \"S\"", "license: S", "license_key = S", "dsn_key: S", "sessionId = \"S\"", "session: S", "nonce_secret: S",
			"webhook_token: S", "hook = 'S'", "account_sid = 'S'", "encryptionKey: 'S'", "app.secret_key = b'S'", "signature_key = S", "identity: S", "bot: \"S\"", "userkey=S", "username_token=S", "keyId: S", "oauth: S", "oauth_verifier=S",
		},
		secret: generator.opaque,
	},
	"signs in passwords": {
		templates: []string{
			"N = \"S\"", "N: 'S'", "N_super_secure = \"S\"", "my_N_super_secure := \"S\"", "N=\"S\";", "\"N\": \"S\"", "if (N == \"S\") {", "if (\"S\" == N) {", "N = Get(\"S\")", "N => \"S\"", "@\"N\" : @\"S\"", "N := `S`", "N=S", "N: S", "'N': 'S',", "N\"=>\"S\"", "<N>S</N>", "  N   :   S  ", "$N=\"S\"", "N[] = \"S\"",
		},
		secret: generator.signed,
	},
	"configuration files": {
		templates: []string{
			"//registry.example.org/:_authToken=S", "//r.example.org/:_password=S", "[pypi]\nusername = __token__\npassword = S", "index-url = https://bob:S@pypi.example.org/simple", "machine api.example.org login bob password S", "define('DB_PASSWORD', 'S');",
			"SECRET_KEY = 'S'", "ansible_ssh_pass=S", "ansible_become_password: S", "spring.datasource.password=S", "jdbc:mysql://h/db?user=bob&password=S", "jdbc:oracle:thin:bob/S@//h:1521/x", "Server=db;Uid=sa;Pwd=S;", "<add name=\"c\" connectionString=\"Server=h;User Id=sa;Password=S;\"/>",
			"<password>S</password>", "<property><name>fs.s3a.secret.key</name><value>S</value></property>", "<param name=\"password\" value=\"S\"/>", "MasterUserPassword: S", "requirepass S", "masterauth S",
			"rpcpassword=S", "storePassword=S", "keyPassword S", "signingConfig { storePassword 'S' }", "bindpw S", "olcRootPW: S", "sasl.jaas.config=org.apache.X required username=\"a\" password=\"S\";", "wpa_passphrase=S", "psk=\"S\"", "PresharedKey = S", "snmp-server community S RO", "enable secret S", "set password S", "identified by \"S\"",
			"PASSWORD 'S'", "ALTER USER bob WITH PASSWORD 'S';", "CREATE LOGIN x WITH PASSWORD = 'S'", "SET PASSWORD FOR 'a'@'b' = PASSWORD('S');", "GRANT ALL ON *.* TO 'a'@'%' IDENTIFIED BY 'S';", "data:\n  password: S", "stringData:\n  password: S", "--from-literal=password=S", "-Dpassword=S", "-Djavax.net.ssl.keyStorePassword=S",
		},
		secret: generator.password,
	},
	"command lines": {
		templates: []string{
			"curl -u bob:S https://x.org", "curl --user bob:S https://x.org", "wget --password=S https://x.org", "wget --http-password S x", "mysql -u root -pS db", "sshpass -p S ssh h", "sshpass -p 'S' ssh h", "PGPASSWORD=S psql -h h", "docker login -u bob -p S r.io", "echo S | docker login -u bob --password-stdin", "echo \"S\" | sudo --stdin ls",
			"net use x: \\\\h\\s /user:bob S", "ConvertTo-SecureString \"S\" -AsPlainText -Force", "ConvertTo-SecureString -String 'S' -AsPlainText", "$Password = 'S'", "New-Object PSCredential('bob', 'S')", "openssl enc -aes-256-cbc -k S", "openssl rsa -passin pass:S", "-passout pass:S", "ngrok authtoken S", "az login --service-principal -u a -p S", "htpasswd -b f bob S", "redis-cli -a S ping", "mongo -u a -p S", "keytool -storepass S -keypass S",
			"export TOKEN=\"S\"", "TOKEN=S ./run", "git clone https://bob:S@x.org/a.git", "git clone https://S@x.org/a.git", "ftp://bob:S@h/x", "smbclient //h/s -U bob%S", "rclone --pass S", "vault login S", "gh auth login --with-token S", "heroku config:set TOKEN=S", "kubectl create secret generic x --from-literal=token=S", "aws configure set aws_secret_access_key S", "composer config http-basic.x.org bob S", "npm config set _authToken S", "psql \"host=h password=S user=x\"", "java -Dtoken=S -jar x", "terraform apply -var 'db_password=S'",
		},
		secret: func(g generator) string {
			return g.pick(g.chars(lowers+uppers+decimals, 14), g.chars(hexDigits, 32), g.chars(lowers+decimals, 20))
		},
	},
	"headers and basic authorisation": {
		templates: []string{
			"Authorization: Basic S", "authorization: 'Basic S'", "-H \"Authorization: Basic S\"", "'Authorization' => 'Basic S'", "\"auths\": {\"r.io\": {\"auth\": \"S\"}}", "\"auth\": \"S\"", "headers['Authorization'] = 'Basic S'", "basic S", "Proxy-Authorization: Basic S", "\"headers\":[{\"key\":\"Authorization\",\"value\":\"Basic S\"}]",
		},
		secret: generator.userAndPassword,
	},
	"bearer and key headers": {
		templates: []string{
			"Authorization: Bearer S", "-H 'Authorization: Bearer S'", "\"Authorization\", \"Bearer \" + \"S\"", "{\"key\":\"Authorization\",\"value\":\"Bearer S\"}", "X-Auth-Token: S", "PRIVATE-TOKEN: S", "X-Vault-Token: S", "api-key: S", "Ocp-Apim-Subscription-Key: S", "X-Api-Key: S", "x-rapidapi-key: S", "Cookie: session=S; x=1", "Set-Cookie: sid=S; HttpOnly", "X-Amz-Security-Token: S",
			"X-Access-Key: S", "X-Figma-Token: S", "apikey: S", "Authorization: token S", "Authorization: Key S", "Authorization=S", "authorization: S", "X-Shopify-Access-Token: S", "X-Auth-Key: S", "DD-API-KEY: S", "x-functions-key: S", "Circle-Token: S", "X-JFrog-Art-Api:S", "setHeader(\"X-Key\", \"S\")",
		},
		secret: generator.opaque,
	},
	"query strings": {
		templates: []string{
			"https://x.org/a?key=S", "https://x.org/a?appid=S&q=1", "https://x.org/a?access_key=S", "https://x.org/a?apiKey=S&x=2", "https://x.org/a?auth=S", "https://x.org/a?sig=S", "https://x.org/a?token=S#f", "https://x.org/a?api_token=S", "https://x.org/a?client_secret=S&g=x", "https://x.org/a?hapikey=S", "https://x.org/a?code=S", "https://x.org/a?secret=S", "https://x.org/a?X-Amz-Signature=S", "https://x.org/a?subscription-key=S", "https://x.org/a?app_key=S&app_id=1", "wss://x.org/?session=S", "https://x.org/a?sv=1&sp=r&sig=S", "https://x.org/a?q=1&amp;apikey=S", "https://x.org/hooks/T1/B2?wait=1&hmac=S", "https://x.org/?jwt=S", "curl 'https://x.org/a?ApiKey=S'",
		},
		secret: generator.opaque,
	},
	"pairs in code": {
		templates: []string{
			"connect(host=\"h\", user=\"u\", password=\"S\")", "mysql.createConnection({host: 'h', password: 'S'})", "new SqlConnection(\"Server=h;Password=S\")", "pymysql.connect('h', 'u', 'S', 'db')", "smtp.login('u', 'S')", "ftp.login(user='u', passwd='S')", "auth=('u', 'S')", "auth: {user: 'u', pass: 'S'}", "requests.get(u, auth=HTTPBasicAuth('u', 'S'))", "DriverManager.getConnection(u, \"sa\", \"S\")", "new UsernamePasswordCredentials(\"u\", \"S\")", "credentials(\"u\", \"S\")", "setPassword(\"S\")", "withPassword('S')", "password(\"S\")", "Password: []byte(\"S\")", "Password = @\"S\"", "char *password = \"S\";", "#define PASSWORD \"S\"", "let password = String::from(\"S\");", "password = 'S'.encode()", "passwords = ['S', 'b']", "\"passwords\": [\"S\"]", "createUser(\"u\", \"S\")", "user.setPassword(encoder.encode(\"S\"))", "Pair(\"password\", \"S\")", "ldap_bind($c, 'u', 'S')", "mysqli_connect('h', 'u', 'S')", "mysql_connect(\"h\",\"u\",\"S\")", "new PDO($d, 'u', 'S')", "Net::SSH.start('h', 'u', password: 'S')", "password=u'S'", "password = r\"S\"", "passwd='S' if x else None", "os.environ.get('DB_PASSWORD', 'S')", "os.getenv(\"PASSWORD\", \"S\")", "ENV['PASSWORD'] || 'S'", "ENV.fetch('PASSWORD', 'S')", "process.env.PASSWORD ?? \"S\"", "getenv('PASSWORD') ?: 'S'", "System.getProperty(\"password\", \"S\")", "flag.String(\"password\", \"S\", \"usage\")", "default: 'S' # password", "assert password == 'S'", "password.equals(\"S\")", "\"S\".equals(password)", "strcmp(password, \"S\")", "password === 'S'", "PASSWORD_DEFAULT = \"S\"", "{ \"username\": \"u\", \"pw\": \"S\" }", "user:u pass:S", "login: u / S", "u/S@db", "credentials = u:S",
		},
		secret: generator.password,
	},
	"keys as text": {
		templates: []string{
			"key = bytes.fromhex(\"S\")", "aes_key = \"S\"", "private_key = \"S\"", "secret: 0xS", "PRIVATE_KEY=0xS", "privateKey: '0xS'", "iv = \"ab\", key = \"S\"", "hmac.new(b'S', m)", "jwt.sign(p, 'S')", "jwt.encode(p, \"S\", algorithm='HS256')", "crypto.createHmac('sha256', 'S')", "new SecretKeySpec(\"S\".getBytes(), \"AES\")", "AES.new('S')", "Fernet(b'S')", "master_key: S", "ENCRYPTION_KEY=S", "accounts: ['0xS']", "WALLET_KEY=S", "seed = 'S'", "deployer 0xS", "secret_key_base: S", "SALT=S", "wif: S", "hexkey S",
		},
		secret: func(g generator) string { return g.chars(hexDigits, 64) },
	},
}

// TestEvalShapes measures how many secrets are hidden in the texts that other
// scanners look for.
func TestEvalShapes(t *testing.T) {
	g := newGenerator()
	var e redact.Engine
	by := map[string]*measured{}
	for _, name := range sortedKeys(shapes) {
		for range 12 {
			for _, template := range shapes[name].templates {
				secret := shapes[name].secret(g)
				n := g.pick("password", "db_pass", "apikey", "secret", "private_key", "service_key", "account_key", "auth_key", "passwd")
				text := expand(template, n, g.service(), secret)
				out, _ := e.Redact(text)
				for _, key := range []string{"dialect " + name, "all"} {
					if by[key] == nil {
						by[key] = &measured{}
					}
					by[key].add(!strings.Contains(out, secret), text)
				}
			}
		}
	}
	report(t, by, 0.93)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
