package redact

import "strings"

// label is a word for a password or a key in another language, or a word for a
// user's name together with the password, which has kind kindCredential.
type label struct {
	word string // in lower case
	kind string
}

// labels are words that agents use in German, French, Spanish, Portuguese,
// Italian, Turkish, Russian, Chinese, Japanese and Korean. Longer labels precede
// their own prefixes. Russian words may be followed by their endings.
var labels = [...]label{
	{"kennwort", kindPassword},
	{"passwort", kindPassword},
	{"zugangscode", kindPassword},
	{"zugangsdaten", kindCredential},
	{"anmeldedaten", kindCredential},
	{"logindaten", kindCredential},
	{"login", kindCredential},
	{"schlüssel", kindAPIKey},
	{"geheimnis", kindSecret},
	{"mot de passe", kindPassword},
	{"mots de passe", kindPassword},
	{"mot-de-passe", kindPassword},
	{"motdepasse", kindPassword},
	{"phrase secrète", kindPassword},
	{"phrase de passe", kindPassword},
	{"code d'accès", kindPassword},
	{"identifiants", kindCredential},
	{"mdp", kindPassword},
	{"clé d'api", kindAPIKey},
	{"clé api", kindAPIKey},
	{"clé secrète", kindSecret},
	{"clé", kindAPIKey},
	{"jeton", kindToken},
	{"contraseña", kindPassword},
	{"contrasena", kindPassword},
	{"frase secreta", kindPassword},
	{"código de acce", kindPassword},
	{"codigo de acce", kindPassword},
	{"clave", kindPassword},
	{"llave", kindAPIKey},
	{"credenciales", kindCredential},
	{"credenciais", kindCredential},
	{"credenziali", kindCredential},
	{"credentials", kindCredential},
	{"secreto", kindSecret},
	{"segredo", kindSecret},
	{"segreto", kindSecret},
	{"senha", kindPassword},
	{"palavra-passe", kindPassword},
	{"palavra passe", kindPassword},
	{"código de acesso", kindPassword},
	{"chave", kindAPIKey},
	{"parola d'ordine", kindPassword},
	{"parola chiave", kindPassword},
	{"parola", kindPassword},
	{"frase segreta", kindPassword},
	{"codice di accesso", kindPassword},
	{"chiave", kindAPIKey},
	{"şifre", kindPassword},
	{"логин и пароль", kindCredential},
	{"учётные данные", kindCredential},
	{"учетные данные", kindCredential},
	{"кодовая фраза", kindPassword},
	{"парольная фраза", kindPassword},
	{"код доступа", kindPassword},
	{"парол", kindPassword},
	{"ключ", kindAPIKey},
	{"токен", kindToken},
	{"секрет", kindSecret},
	{"账号密码", kindCredential},
	{"密码", kindPassword},
	{"密碼", kindPassword},
	{"口令", kindPassword},
	{"密钥", kindAPIKey},
	{"密鑰", kindAPIKey},
	{"秘钥", kindAPIKey},
	{"私钥", kindSecret},
	{"令牌", kindToken},
	{"ログイン情報", kindCredential},
	{"パスワード", kindPassword},
	{"パスフレーズ", kindPassword},
	{"暗証番号", kindPassword},
	{"トークン", kindToken},
	{"シークレット", kindSecret},
	{"キー", kindAPIKey},
	{"秘密鍵", kindSecret},
	{"暗号鍵", kindSecret},
	{"로그인 정보", kindCredential},
	{"비밀번호", kindPassword},
	{"패스워드", kindPassword},
	{"비번", kindPassword},
	{"암호", kindPassword},
	{"토큰", kindToken},
	{"시크릿", kindSecret},
	{"키", kindAPIKey},
}

// isSayingVerb reports whether s, in lower case, is a verb between a label and
// its value: the password is X.
func isSayingVerb(s string) bool {
	switch s {
	case "is", "was", "are", "be", "becomes", "equals", "it's", "that's", "ist", "lautet", "heißt", "heisst", "war", "wäre", "sei", "sind", "est", "c'est", "sera", "serait", "était", "vaut", "devient", "sont",
		"es", "será", "sería", "era", "quedó", "son", "é", "seria", "ficou", "são", "è", "sarà", "sarebbe", "sono", "diventa", "jest", "это", "теперь", "сейчас", "будет", "был", "была", "было", "равен", "такой":
		return true
	}
	return false
}

// isAdverb reports whether s, in lower case, may be between such a verb and the
// value.
func isAdverb(s string) bool {
	switch s {
	case "now", "currently", "just", "still", "please", "jetzt", "nun", "dann", "bitte", "alors", "entonces", "então", "allora", "maintenant", "désormais", "ahora", "agora", "ora", "adesso", "现在", "現在", "현재":
		return true
	}
	return false
}

// isTarget reports whether s, in lower case, is a word before what something is
// changed to.
func isTarget(s string) bool {
	switch s {
	case "to", "auf", "zu", "à", "a", "para", "su", "sur", "in", "en", "as", "als", "como", "come", "comme", "на":
		return true
	}
	return false
}

// isPurpose reports whether s, in lower case, says what a key is for, or is a
// short word such as an article: access key, clé de chiffrement.
func isPurpose(s string) bool {
	if len(s) <= 4 {
		return true
	}
	for _, stem := range purposeStems {
		if strings.Contains(s, stem) {
			return true
		}
	}
	return false
}

// purposeStems are parts of words that say what a key is for.
var purposeStems = [...]string{"acc", "доступ", "chiffr", "cifr", "cript", "crypt", "шифр", "client", "kunde", "клиент", "webhook", "вебхук", "firma", "assin", "подпис", "sign", "priv", "compart", "partag", "condiv", "secr", "segr", "user", "prod", "staging", "для"}

// asWords are between a value and what it is used as, without the verb after
// them: use X as the password.
var asWords = [...]string{"as the", "as your", "as our", "as my", "as a", "as new", "as", "als neues", "als", "comme nouveau", "comme", "como nueva", "como nova", "como", "come nuova", "come", "как новый", "как", "作为", "作為", "を", "를", "을"}

// changeStems are parts of verbs that change a password, in lower case.
var changeStems = [...]string{
	"set", "chang", "rotat", "updat", "änder", "gesetzt", "setz", "remet", "remis", "réinit", "modifi", "défini", "cambi", "restable", "redefin", "mude", "mudou", "mudamos", "alter", "definida", "impost",
	"мени", "мене", "брос", "брош", "станов", "改", "重置", "设", "設", "変更", "リセット", "변경", "바꿨", "바꾸", "초기화", "설정",
}

// sayingEnds are the endings of runs of Chinese, Japanese and Korean letters
// between a label and its value that mean "is". targetEnds are those that mean
// "to".
var (
	sayingEnds = [...]string{"是", "为", "為", "成", "成了", "は", "は現在", "こちら", "는", "은", "가", "이", "다"}
	targetEnds = [...]string{"を", "に", "를", "을", "로", "到", "用", "和", "と"}
)

// placeAfter are the texts that follow the name of a place and say that something
// is in it.
var placeAfter = [...]string{"にあ", "に保", "に置", "から", "에 있", "에 저", "에서", "里", "上", "中", "内"}
