package settings

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestOIDC_FromFileAndEnvironment(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("from a file\r\nand more"), 0o600); err != nil {
		t.Fatal(err)
	}
	const provider = `"issuer":"https://id.example.com","client_id":"flawmark"`
	for name, tt := range map[string]struct {
		file, env, want string
	}{
		"in the file":          {`"client_secret":"inline"`, "", "inline"},
		"in the environment":   {`"client_secret":"inline"`, "FLAWMARK_OIDC_SECRET=given", "given"},
		"in a file of its own": {`"client_secret_file":"` + filepath.ToSlash(secret) + `"`, "", "from a file"},
		"none":                 {`"claim":"email"`, "", ""},
	} {
		c, err := loadMail(t, `{"public":"https://qc.example.com","oidc":{`+provider+`,`+tt.file+`}}`, tt.env)
		if err != nil || c.OIDC.Secret != tt.want || c.OIDC.Claim == "" {
			t.Errorf("%s: %+v, %v", name, c.OIDC, err)
		}
	}
	for name, file := range map[string]string{
		"no client":      `{"public":"https://qc.example.com","oidc":{"issuer":"https://id.example.com"}}`,
		"no TLS":         `{"public":"https://qc.example.com","oidc":{"issuer":"http://id.example.com","client_id":"x"}}`,
		"a query":        `{"public":"https://qc.example.com","oidc":{"issuer":"https://id.example.com?a","client_id":"x"}}`,
		"no way back":    `{"oidc":{` + provider + `}}`,
		"a claim of two": `{"public":"https://qc.example.com","oidc":{` + provider + `,"claim":"a b"}}`,
		"no secret file": `{"public":"https://qc.example.com","oidc":{` + provider + `,"client_secret_file":"/none"}}`,
	} {
		if _, err := loadMail(t, file); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
