package redact

// The kinds of secret that the built-in rules distinguish. A secret of kind K is
// replaced by K + "_REDACTED". The first eight are those of the Python bridge.
const (
	kindAWS        = "AWS_KEY"
	kindPrivateKey = "PRIVATE_KEY"
	kindBearer     = "BEARER_TOKEN"
	kindPassword   = "PASSWORD"
	kindAPIKey     = "API_KEY"
	kindSecret     = "SECRET"
	kindGitHub     = "GITHUB_TOKEN"
	kindOpenAI     = "OPENAI_KEY"

	kindToken      = "TOKEN"
	kindJWT        = "JWT"
	kindCookie     = "COOKIE"
	kindCredential = "CREDENTIAL"
	kindSignature  = "SIGNATURE"
	kindHash       = "PASSWORD_HASH"
	kindAnthropic  = "ANTHROPIC_KEY"
)

var builtinKinds = [...]string{
	kindAWS, kindPrivateKey, kindBearer, kindPassword, kindAPIKey, kindSecret, kindGitHub, kindOpenAI,
	kindToken, kindJWT, kindCookie, kindCredential, kindSignature, kindHash, kindAnthropic,
}

// placeholderSuffix ends every placeholder.
const placeholderSuffix = "_REDACTED"
