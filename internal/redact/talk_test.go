package redact_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// talk are sentences that agents write at work. None contains a secret. {sha} is
// replaced by a commit, {short} by a commit abbreviated to 7 to 12 digits, and so
// on; see talkWords.
var talk = strings.Split(strings.TrimSpace(`
Token refresh landed in {sha}, please rebase.
The token rotation fix is {short}; tests pass at {sha}.
auth tests pass at {short} on my machine.
auth request {uuid} failed with 401 after {dur}.
Auth middleware now logs the request id ({uuid}) and the status.
I merged the password reset flow as {short}.
Password hashing moved to argon2id in commit {sha}.
Reverted {short} ("use the new secret store") because the deploy job {uuid} hung.
please pass {arch} to the build
we pass check=True and capture_output=True to subprocess.run
We pass timeout={n} to the client, and then pass it on to the pool.
you can pass {flag} twice
Pass the id {uuid} through to the worker.
I pass ctx, not context.Background(), to every call.
The tests pass with -race now, 3 of {n} were flaky.
docker run -p {port}:80 nginx:1.27
docker run --rm -d -p 127.0.0.1:{port}:5432 --name db postgres:16
podman run -p {port}:{port} -v ./data:/data registry.example.org/app:{short}
docker compose -p {word} up -d && docker compose -p {word} logs -f web
docker compose -f compose.{word}.yml -p {word}-{n} down
docker login ghcr.io -u {word} --password-stdin
cat ~/.ghcr | docker login --password-stdin ghcr.io
docker pull registry.example.org/{word}@sha256:{hex64}
docker build -t {word}:{short} --build-arg VERSION={semver} .
mkdir -p build/{word}/{short} && cp -p a b
ssh -p {port} {word}@10.0.{n}.2 uptime
nmap -p {port} 10.0.{n}.2
psql -h localhost -p {port} -U {word} -d {word}_test -c 'select 1'
redis-cli -p {port} ping answered PONG
kubectl -n {word} get secret {word}-tls -o yaml
kubectl create secret generic {word} --from-file=./{word}.env
kubectl rollout status deploy/{word} --timeout={n}s
git cherry-pick {sha}
git log --oneline {short}..{short}
git show {sha}:internal/auth/token.go
git bisect says {sha} is the first bad commit
The session {uuid} was closed by the server.
Session: {uuid}
Session-Id: {uuid}
Change-Id: I{sha}
Signed-off-by: {word} <{word}@example.org>
Co-authored-by: {word} <{word}@users.noreply.github.com>
Fixes: {short} ("auth: refresh tokens before they expire")
Reviewed-by: {word} (session {uuid})
Trace-Id: {hex32}
Claude-Session: https://example.org/code/session_{alnum24}
cherry picked from commit {sha}
This reverts commit {sha}.
OLDPWD=/home/{word}/src/{word}
PWD=/srv/{word} OLDPWD=/srv
# public key: age1{b32}
Recipient: age1{b32}
public key: {b64key}
Our WireGuard public key is {b64key}, yours please?
preshared keys are Curve25519 keys too
See GHSA-{ghsa} and CVE-2025-{n4}.
The advisory GHSA-{ghsa} affects the token parser.
const token = createToken(user, {n});
token := createToken(ctx, "session", time.Hour)
let secret = generateSecret(32);
password = getpass.getpass("Password: ")
secret = os.environ["{WORD}_SECRET"]
token = await auth.refreshToken(session.id)
apiKey: process.env.{WORD}_API_KEY,
const passwordField = document.querySelector("#password");
if token == "" { return errNoToken }
self.token = token or self._load_token()
password: ${{ secrets.{WORD}_PASSWORD }}
token: ${{ secrets.GITHUB_TOKEN }}
![logo](data:image/png;base64,{png})
background: url(data:image/png;base64,{png})
{"kty":"RSA","kid":"{hex32}","use":"sig","alg":"RS256","n":"{b64url256}","e":"AQAB"}
{"kty":"EC","crv":"P-256","x":"{b64url32}","y":"{b64url32}","kid":"{uuid}"}
{"kty":"OKP","crv":"Ed25519","x":"{b64url32}"}
Content-Security-Policy: script-src 'self' 'sha256-{b64key}' 'nonce-{b64short}'
<script src="https://cdn.example.org/{word}.js" integrity="sha384-{b64_48}" crossorigin="anonymous"></script>
      "integrity": "sha512-{b64_64}",
  resolved "https://registry.yarnpkg.com/{word}/-/{word}-{semver}.tgz#{sha}"
  integrity sha512-{b64_64}
    hash = "sha256:{hex64}"
    {file = "{word}-{semver}-py3-none-any.whl", hash = "sha256:{hex64}"},
{word}=={semver} --hash=sha256:{hex64}
example.org/{word} v{semver} h1:{b64key}
checksum = "{hex64}"
db_password: ENC[AES256_GCM,data:{b64short},iv:{b64key},tag:{b64md5},type:str]
api_key: ENC[AES256_GCM,data:{b64key},iv:{b64key},tag:{b64md5},type:str]
sops_mac: ENC[AES256_GCM,data:{b64_48},iv:{b64key},tag:{b64md5},type:str]
The auth server listens on port {port}, the token endpoint on {port}.
The token endpoint answered 401 for request {uuid} in {dur}.
Token count went from {n4} to {n4}; max_tokens is 4096 now.
It used {n4} tokens, cost $0.{n}.
The api key for the demo is in the vault, ask {word}.
The password is in 1Password under "{word} staging".
No password needed, the socket uses peer authentication.
password authentication failed for user "{word}"
Enter the password for {word}:
the secret is mounted at /run/secrets/{word}
secretName: {word}-tls-{short}
The bearer token is read from {WORD}_TOKEN.
Add a header X-Request-Id: {uuid} to each call.
request_id={uuid} user={word} status=200 took={dur}
trace_id={hex32} span_id={hex16} msg="token refreshed"
{"level":"info","msg":"token refreshed","trace_id":"{hex32}","user":"{word}"}
{"level":"warn","msg":"auth failed","request_id":"{uuid}","sha":"{sha}"}
time=2026-05-01T12:00:00Z level=info msg="password changed" user={word} req={uuid}
ETag: "{hex32}"
The build {uuid} of {short} passed, artifact sha256 {hex64}.
sha256sum: {hex64}  {word}-{semver}.tar.gz
{hex64}  dist/{word}_linux_amd64.tar.gz
md5 {hex32} for the password list test file
The secret scanner flagged {short}, a false positive.
Deployed {word} at {sha} to staging; auth smoke tests pass.
image: registry.example.org/auth-service:{sha}
image: ghcr.io/acme/token-service@sha256:{hex64}
uses: actions/checkout@{sha} # v{semver}
--- PASS: TestTokenRefresh/{uuid} (0.{n}s)
ok  	example.org/{word}/internal/auth	0.{n}s
FAIL: TestPassword/{word}_{n} expected 401, got 200
The uuid of the auth tenant is {uuid}.
tenant {uuid}, subscription {uuid}, both are public ids.
Please review https://github.com/acme/{word}/commit/{sha} (token cleanup).
Please look at https://github.com/acme/{word}/pull/{n4}, it touches auth.
https://example.org/auth/callback?state={uuid}&page=2
The OAuth client id is not a secret, the callback is https://{word}.example.org/auth/callback.
Cookies are SameSite=Lax; Secure; HttpOnly; Path=/; Max-Age={n4}
Set-Cookie: theme=dark; Path=/; Max-Age={n4}
Key rotation runs every {n} days, see docs/key-rotation.md#L{n}.
key {word} not found in map[string]int, len {n}
The primary key is (tenant_id, id), the foreign key stays.
The sort key is {word}#{n4}.
Cache key {word}:{hex16}:{n} was evicted.
cache-key: {word}-{hex64}
restored cache from key: Linux-go-{hex64}
Idempotency-Key: {uuid}
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b64_43} {word}@laptop
Host key fingerprint is SHA256:{b64_43}
The fingerprint of the signing key is SHA256:{b64_43}.
gpg: using RSA key {HEX40}
gpg: key {HEX16}: public key "{word} <{word}@example.org>" imported
Primary key fingerprint: {HEX40}
pass: {n}, fail: 0, skip: {n}
Passed {n} of {n} token tests, seed {n4}{n4}.
rand seed {n4}{n4}, shuffle on
PASS
coverage: {n}.{n}% of statements in internal/auth
The user {word} logged in from 10.0.{n}.2 port {port} ssh2
Accepted publickey for {word} from 10.0.{n}.2 port {port} ssh2: ED25519 SHA256:{b64_43}
Failed password for invalid user {word} from 10.0.{n}.2 port {port} ssh2
listening on 0.0.0.0:{port} (auth: token, tls: off)
curl -fsS http://localhost:{port}/healthz | jq .commit gives "{short}"
curl -H "Authorization: Bearer $TOKEN" http://localhost:{port}/v1/tokens
curl -u "$USER:$PASSWORD" https://{word}.example.org/v1
export {WORD}_TOKEN=$(cat /run/secrets/{word})
export PATH=/usr/local/{word}/bin:$PATH
GOFLAGS=-mod=mod GOTOOLCHAIN=go1.26.8 go test ./internal/auth -run TestToken -count={n}
go test ./internal/token -run 'TestRefresh$' -count=1 -timeout {n}s
npm test -- --grep "password reset" --seed {n4}
pytest tests/test_auth.py::test_token_refresh[{uuid}] -q
The keyboard shortcut passes focus to the password field.
mov the token struct to internal/auth, pass it by value
Secrets live in {word}/secrets.yaml, encrypted with sops.
The hmac of the payload is compared in constant time.
The salt is 16 bytes, the key 32 bytes, the nonce 12.
bcrypt cost went from 10 to 12, login takes {dur} now.
The access token lives {n} minutes, the refresh token {n} days.
access token: expired at 2026-05-01T12:00:00Z
token type: bearer
token: expired
Token: invalid
password: must be at least 12 characters
Passwort muss mindestens 12 Zeichen haben.
api_key: required
The config key auth.token.ttl is {n}s by default.
auth.provider=oidc auth.issuer=https://{word}.example.org/realms/{word}
issuer https://{word}.example.org/ uses kid {hex40} for signing
jti {uuid} was revoked
The JWT has iss, aud, exp={n4}{n4}, jti and kid={hex16}.
sub=auth0|{hex24} is the test user
user auth0|{hex24} has role admin
Installed {word}-{semver}-{short}.x86_64
migration 2026{n4}_add_token_hash.sql applied in {dur}
ALTER TABLE users ADD COLUMN password_hash text NOT NULL;
SELECT id, token_hash FROM sessions WHERE user_id = {n4};
INSERT INTO runs (id, commit) VALUES ('{uuid}', '{sha}');
object id {hex24} in collection tokens has no owner
mongodb://localhost:{port}/{word}?replicaSet=rs0
postgres://localhost:{port}/{word}?sslmode=disable
redis://cache.internal:{port}/0
amqp://guest@localhost:{port}/%2f
the store is {word}.db, WAL {n4} kB, schema {n}
PR {n4}: token bucket per tenant, {n} req/s, burst {n}
branch feature/auth-token-{n4} is at {short}
rebased feature/password-reset onto {short}, force-pushed {short}
worktree /srv/trees/{word} is at {sha}
Subject: [PATCH {n}/{n}] auth: pass the token by reference
index {short}..{short} 100644
From {sha} Mon Sep 17 00:00:00 2001
diff --git a/auth/token_{n}.go b/auth/token_{n}.go
-	password := cfg.Password
+	token, err := store.Token(ctx, id)
@@ -{n},7 +{n},9 @@ func refreshToken(ctx context.Context) error {
The lock token is generation {n}, lease {uuid}.
lease {uuid} expires in {dur}, owner {word}
message 12 of conversation {uuid} redelivered, token bucket empty
worker {uuid} claims task {uuid}: rotate keys
ARN arn:aws:iam::{acct}:role/{word}-deploy, key arn:aws:kms:eu-central-1:{acct}:key/{uuid}
Account {acct}, region eu-central-1, secret arn:aws:secretsmanager:eu-central-1:{acct}:secret:{word}-AbC123
The KMS key {uuid} is enabled, rotation on.
vault kv get -field=password secret/{word}/staging
vault token lookup says ttl {n}h
op read op://{word}/staging/password
the secret "{word}-{hex10}" exists, {n} keys
pod {word}-{hex10}-{b5} restarted {n} times, auth container ok
pod/{word}-auth-{hex10}-{b5} 1/1 Running 0 {n}m
container {hex12} exited 137 while refreshing tokens
layer {hex12}: Pull complete; Digest: sha256:{hex64}
Step {n}/{n} : RUN --mount=type=secret,id={word} make
 ---> {hex12}
The test vector for HMAC-SHA256 is in RFC 4231, section 4.2.
PBKDF2 with 600000 rounds takes {dur}.
color #{hex6}, border #{hex6}
0x{hex16} is the address of the token struct
panic at 0x{hex10}: runtime error in auth.(*Token).Refresh +0x{hex3}
version {semver}+{short}
{word} {semver} (commit {short}, built 2026-05-01T12:00:00Z, go1.26.8)
pod/{pod} created, the auth sidecar is {pod}
kubectl logs {pod} -c auth --since={n}m | grep token
aws_iam_access_key.ci: Refreshing state... [id=subnet-0{hex16}]
i-0{hex16} sg-0{hex16} vpc-0{hex16} were tagged auth
did:plc:{b24} posted about tokens
ipfs://{cid} and {cid1} hold the token list
google-site-verification={b64_43}
SHA256 (auth.zip) = {hex64}
secrets: inherit
rotate_secret_every = "{n}h"
GET session:{uuid}:auth answered nil
SSH_AUTH_SOCK=/tmp/ssh-{alnum24}/agent.{n4}
/nix/store/{b24}{b5}abc-auth-{semver}/bin/auth
{"usage":{"input_tokens":{n4},"output_tokens":{n},"cache_read_input_tokens":{n4}}}
request_id: req_011C{alnum24}, type: authentication_error
toolu_01{alnum24} returned an auth error
Resume with: claude --resume {uuid}
trace {hex32}, span {hex16}, auth ok
the token contract is 0x{hex40} on chain {n}
x-amz-request-id: {HEX16}, x-amz-id-2: {b64_48}
gpg --recv-keys {HEX40}
ENV GPG_KEY {HEX40}
{hex64}  auth-{semver}.tar.gz
    --hash=sha256:{hex64}
| password | VARCHAR(255) | NO | NULL |
| {uuid} | token refresh | done |
main.{hex10}.js 212 kB, vendors-auth.{hex24}.chunk.js 1.2 MB
"KeyID": "{hex64}",
"sig": "{hex64}{hex64}",
Secret *string {tick}json:"value,omitempty"{tick}
if cfg.NsxtPassword != nil { m["nsxtPassword"] = cfg.NsxtPassword }
SoapPassThrough APIType = "soap"
PrivateKey: ecdsaKey,
service/secretsmanager: [v1.41.0](service/secretsmanager/CHANGELOG.md#v1410-2025-12-11)
"id": "secretmanager:v1beta1",
Credential=AKID/20210101/us-east-1/s3/aws4_request
set password_encryption = 'scram-sha-256';
"SandboxKey": "/var/run/docker/netns/{hex12}"
AWS_CLIENT_SECRET=<clientSecret>
the key ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx and glpat-XXXXXXXXXXXXXXXXXXXX are masked
- (id)hf_requiredCharacteristicTypesForDisplayMetadata;
`), "\n")

// moreTalk are sentences of the same kind, by another author.
func moreTalk(t *testing.T) []string { return readLines(t, "talk.txt") }

// talkWords generate what is between braces in talk.
var talkWords = map[string]func(g generator) string{
	"sha": func(g generator) string { return g.hex(40) }, "short": func(g generator) string { return g.hex(7 + g.IntN(6)) },
	"uuid": generator.uuid, "hex64": func(g generator) string { return g.hex(64) }, "hex32": func(g generator) string { return g.hex(32) },
	"hex40": func(g generator) string { return g.hex(40) }, "hex16": func(g generator) string { return g.hex(16) }, "hex12": func(g generator) string { return g.hex(12) },
	"hex10": func(g generator) string { return g.hex(10) }, "hex24": func(g generator) string { return g.hex(24) }, "hex6": func(g generator) string { return g.hex(6) }, "hex3": func(g generator) string { return g.hex(3) },
	"HEX40": func(g generator) string { return upper(g.hex(40)) }, "HEX16": func(g generator) string { return upper(g.hex(16)) },
	"port": func(g generator) string { return g.chars("123456789", 1) + g.chars(decimals, 3) },
	"word": generator.word, "WORD": func(g generator) string { return upper(g.word()) },
	"dur": func(g generator) string { return fmt.Sprintf("%d.%02ds", g.IntN(30), g.IntN(100)) },
	"n":   func(g generator) string { return fmt.Sprint(2 + g.IntN(97)) }, "n4": func(g generator) string { return fmt.Sprint(1000 + g.IntN(8999)) },
	"acct":   func(g generator) string { return "1" + g.chars(decimals, 11) },
	"arch":   func(g generator) string { return g.pick("`arm64`", "arm64", "`x86_64`", "`linux/amd64`") },
	"flag":   func(g generator) string { return g.pick("--verbose", "`--no-cache`", "`-v2`", "`--seed=42`") },
	"semver": func(g generator) string { return fmt.Sprintf("%d.%d.%d", g.IntN(9), g.IntN(30), g.IntN(30)) },
	"ghsa": func(g generator) string {
		return g.chars(lowers+decimals, 4) + "-" + g.chars(lowers+decimals, 4) + "-" + g.chars(lowers+decimals, 4)
	},
	"b32": func(g generator) string { return g.chars(lowers+decimals, 58) }, "b5": func(g generator) string { return g.chars(lowers+decimals, 5) },
	"b64key": func(g generator) string { return g.base64s(32) }, "b64short": func(g generator) string { return g.base64s(9) }, "b64md5": func(g generator) string { return g.base64s(16) },
	"b64_43": func(g generator) string { return strings.TrimRight(g.base64s(32), "=") }, "b64_48": func(g generator) string { return g.base64s(48) }, "b64_64": func(g generator) string { return g.base64s(64) },
	"b64url32": func(g generator) string { return g.base64url(32) }, "b64url256": func(g generator) string { return g.base64url(256) },
	"tick": func(generator) string { return "`" },
	"pod": func(g generator) string {
		const set = "bcdfghjklmnpqrstvwxz2456789"
		return g.word() + "-" + g.chars(set, 10) + "-" + g.chars(set, 5)
	},
	"cid": func(g generator) string { return "Qm" + g.alnum(44) }, "cid1": func(g generator) string { return "bafybei" + g.chars(lowers+"234567", 52) },
	"b24":     func(g generator) string { return g.chars(lowers+"234567", 24) },
	"alnum24": func(g generator) string { return "01" + g.alnum(22) },
	"png": func(g generator) string {
		return "iVBORw0KGgo" + base64.StdEncoding.EncodeToString([]byte(g.chars("\x00\x01\xfe\x80\x44\x90", 60+g.IntN(90))))[1:]
	},
}

// sentence fills in one line of talk.
func (g generator) sentence(template string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(template, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(template[open:], '}')
		if end < 0 {
			break
		}
		b.WriteString(template[:open])
		if fill, ok := talkWords[template[open+1:open+end]]; ok {
			b.WriteString(fill(g))
			template = template[open+end+1:]
			continue
		}
		b.WriteByte('{')
		template = template[open+1:]
	}
	return b.String() + template
}

// TestTalkStays checks that talk stays unchanged, both as single sentences and as
// messages of several sentences.
func TestTalkStays(t *testing.T) {
	rounds, seed := 12, uint64(1)
	if *evaluate {
		rounds, seed = 60, evaluationSeed(t)
	}
	t.Logf("seed %d", seed)
	g := seeded(seed)
	var e redact.Engine
	lines, altered := 0, 0
	seen := map[string]bool{}
	talk := append(moreTalk(t), talk...)
	for range rounds {
		for _, template := range talk {
			s := g.sentence(template)
			lines++
			if out, kinds := e.Redact(s); out != s {
				altered++
				if !seen[template] {
					t.Logf("%q became %q %v", s, out, kinds)
				}
				seen[template] = true
			}
		}
	}
	messages := 0
	for range rounds * 20 {
		var parts []string
		for range 2 + g.IntN(6) {
			parts = append(parts, g.sentence(g.pick(talk...)))
		}
		s := strings.Join(parts, g.pick("\n", " ", "\n\n", "\n- "))
		if out, kinds := e.Redact(s); out != s {
			messages++
			if messages <= 5 {
				t.Logf("%q\nbecame\n%q %v", s, out, kinds)
			}
		}
	}
	if altered*10_000 > 3*lines || messages*200 > rounds*20 {
		t.Error("more than 3 of 10,000 sentences or 1 of 200 messages were altered")
	}
	t.Logf("talk: %d of %d sentences altered (%d of %d templates), %d of %d messages", altered, lines, len(seen), len(talk), messages, rounds*20)
}
