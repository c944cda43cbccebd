package redact_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// labelled are ways to give a password, P, or a key, K, in other languages and in
// tables.
var labelled = []string{
	"Das Passwort ist P", "Passwort: P", "Kennwort lautet P", "Das Passwort für den Server ist P.", "Der API-Schlüssel ist K", "Le mot de passe est P", "mot de passe : P", "La clé API est K", "La contraseña es P", "contraseña: P",
	"La clave es P", "A senha é P", "La password è P", "parola d'ordine: P", "Пароль: P", "Пароль — P", "Токен: K", "密码：P", "密码是P。", "令牌：K", "パスワードは P です", "パスワード：P", "비밀번호: P", "비밀번호는 P 입니다",
	"reset your password to P please", "set PGPASSWORD to P", "set the secret to \"P\" in Vault", "changed the root password to P", "password was changed from P to P", "echo \"root:P\" | chpasswd", "echo 'bob:P' | sudo chpasswd", "lftp -u bob,P ftp.example.org",
	"net user bob P /add", "htpasswd -b f bob P", "nuget sources add -n x -u bob -p P", "user,password,host\nbob,P,h\neve,P,i\n", "| user | password |\n|---|---|\n| bob | P |\n| eve | P |\n", "id;token\n7;K\n",
	"apiVersion: v1\nkind: Secret\ndata:\n  username: Ym9iYm9i\n  config: P64\ntype: Opaque\n",
}

// TestRedactLabels checks that these values are hidden and that the words around
// them stay unchanged.
func TestRedactLabels(t *testing.T) {
	g := newGenerator()
	var e redact.Engine
	for _, template := range labelled {
		password, key := "Tr0ub4dor"+g.chars(decimals, 2)+g.chars(lowers, 2), g.alnum(30)+"7xQ2"
		in := strings.NewReplacer("P64", encoded(password), "P ", password+" ", "P\n", password+"\n", "P,", password+",", "P\"", password+"\"", "P'", password+"'", "P.", password+".", "P。", password+"。").Replace(template)
		if strings.HasSuffix(in, "P") {
			in = strings.TrimSuffix(in, "P") + password
		}
		in = strings.NewReplacer("K\n", key+"\n").Replace(in)
		if strings.HasSuffix(in, "K") {
			in = strings.TrimSuffix(in, "K") + key
		}
		out, kinds := e.Redact(in)
		if len(kinds) == 0 || strings.Contains(out, password) || strings.Contains(out, key) || strings.Contains(out, encoded(password)) || strings.Count(in, "\n") != strings.Count(out, "\n") {
			t.Errorf("Redact(%q) = %q %v", in, out, kinds)
		}
	}
}

// TestRedactLeavesLabels checks that text after labels and headings stays
// unchanged if it is not a secret.
func TestRedactLeavesLabels(t *testing.T) {
	for _, in := range []string{
		"Das Passwort ist falsch", "Passwort: mindestens 12 Zeichen", "mot de passe oublié ?", "La clave es obligatoria", "clave primaria: id", "Пароль должен быть длиннее", "密码不正确", "パスワードが違います", "비밀번호를 잊었습니다",
		"reset your password to continue", "set the token to expire in 3600 seconds", "| option | password |\n|---|---|\n| a | required |\n", "name,token\na,4096\n", "kind: SecretStore\ndata:\n  a: b\n", "The key (clé) opens it", "model,tokens\nx,12000\n",
	} {
		if out := redactString(in); out != in {
			t.Errorf("%q became %q", in, out)
		}
	}
}
