package settings

import (
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// OIDC is the identity provider that people may sign in through at the desk. It
// is set in the file, its secret also by FLAWMARK_OIDC_SECRET; never by a flag,
// because other users see those.
type OIDC struct {
	Issuer     string `json:"issuer,omitempty"` // empty: passwords only
	ClientID   string `json:"client_id,omitempty"`
	Secret     string `json:"client_secret,omitempty"`
	SecretFile string `json:"client_secret_file,omitempty"` // whose first line it is
	// Claim names the person; empty: preferred_username. Its value is a staff
	// id, or a name in People, which then says whose it is: nobody else gets in.
	Claim  string            `json:"claim,omitempty"`
	People map[string]string `json:"people,omitempty"`
}

func (o *OIDC) check(env []string, public string) error {
	if o.Issuer == "" {
		return nil
	}
	issuer, err := url.Parse(o.Issuer)
	if err != nil || issuer.Host == "" || issuer.RawQuery != "" || issuer.Fragment != "" || issuer.User != nil ||
		issuer.Scheme != "https" && (issuer.Scheme != "http" || !isThisMachine(issuer.Hostname())) {
		return invalidOIDC("issuer", o.Issuer, "https://id.example.com")
	}
	if o.ClientID == "" || len(o.ClientID) > 500 {
		return invalidOIDC("client_id", o.ClientID, "flawmark")
	}
	if public == "" { // the provider knows one address to send people back to
		return &Invalid{Key: "cli.setting_pair", Setting: "oidc.issuer", Value: "--public"}
	}
	if secret, ok := lookup(env, "FLAWMARK_OIDC_SECRET"); ok {
		o.Secret = secret
	}
	if o.Secret == "" && o.SecretFile != "" {
		if o.Secret, err = firstLine(o.SecretFile); err != nil {
			return &Invalid{Key: "error.file_missing", Setting: "oidc.client_secret_file", File: o.SecretFile, Cause: err}
		}
	}
	if o.Claim == "" {
		o.Claim = "preferred_username"
	}
	if strings.ContainsAny(o.Claim, " \t\r\n") || len(o.Claim) > 100 {
		return invalidOIDC("claim", o.Claim, "preferred_username, email, sub")
	}
	return nil
}

func invalidOIDC(name, value, want string) error {
	return &Invalid{Key: "cli.setting_invalid", Setting: "oidc." + name, Value: value, Want: want}
}

func firstLine(path string) (string, error) {
	file, err := os.Open(filepath.Clean(path))
	if err != nil {
		return "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimRight(line, "\r"), nil
}
