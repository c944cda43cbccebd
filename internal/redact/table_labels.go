package redact

// label is a word for a password or a key in another language.
type label struct {
	word string // in small letters
	kind string
}

// labels are what agents write in German, French, Spanish, Portuguese, Italian,
// Turkish, Russian, Chinese, Japanese and Korean. Longer ones
// stand before those that they begin with.
var labels = [...]label{
	{"kennwort", kindPassword},
	{"passwort", kindPassword},
	{"zugangscode", kindPassword},
	{"schlüssel", kindAPIKey},
	{"api-schlüssel", kindAPIKey},
	{"zugangstoken", kindToken},
	{"mot de passe", kindPassword},
	{"mot-de-passe", kindPassword},
	{"motdepasse", kindPassword},
	{"clé d'api", kindAPIKey},
	{"clé api", kindAPIKey},
	{"clé secrète", kindSecret},
	{"clé", kindAPIKey},
	{"jeton", kindToken},
	{"contraseña", kindPassword},
	{"contrasena", kindPassword},
	{"clave", kindPassword},
	{"palavra-passe", kindPassword},
	{"palavra passe", kindPassword},
	{"chave", kindAPIKey},
	{"parola d'ordine", kindPassword},
	{"parola", kindPassword},
	{"chiave", kindAPIKey},
	{"şifre", kindPassword},
	{"пароль", kindPassword},
	{"пароля", kindPassword},
	{"ключ", kindAPIKey},
	{"токен", kindToken},
	{"секрет", kindSecret},
	{"密码", kindPassword},
	{"密碼", kindPassword},
	{"口令", kindPassword},
	{"密钥", kindAPIKey},
	{"密鑰", kindAPIKey},
	{"令牌", kindToken},
	{"パスワード", kindPassword},
	{"暗証番号", kindPassword},
	{"トークン", kindToken},
	{"キー", kindAPIKey},
	{"秘密鍵", kindSecret},
	{"비밀번호", kindPassword},
	{"패스워드", kindPassword},
	{"암호", kindPassword},
	{"토큰", kindToken},
	{"키", kindAPIKey},
}

// labelVerbs join a label to its value.
var labelVerbs = [...]string{
	"ist", "lautet", "est", "es", "é", "è", "is", "jest", "это", "—", "–", "-", "→", "：", "是", "为", "為", "は", "는", "은", "가", "이",
}
