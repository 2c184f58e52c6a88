package settings

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func loadMail(t *testing.T, file string, env ...string) (Centre, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	set := flag.NewFlagSet("", flag.ContinueOnError)
	Centre{}.Flags(set)
	if err := set.Parse([]string{"--data", dir}); err != nil {
		t.Fatal(err)
	}
	return LoadCentre(set, env)
}

func TestSMTP_FromFileAndEnvironment(t *testing.T) {
	t.Parallel()
	c, err := loadMail(t, `{"smtp":{"host":"mail.example.com","from":"Flawmark <no-reply@example.com>","user":"u"}}`,
		"FLAWMARK_SMTP_PASSWORD=secret")
	if err != nil || c.SMTP.Port != 587 || c.SMTP.TLS != "required" || c.SMTP.Password != "secret" {
		t.Errorf("%+v, %v", c.SMTP, err)
	}
	set := flag.NewFlagSet("", flag.ContinueOnError)
	Centre{}.Flags(set)
	set.VisitAll(func(f *flag.Flag) {
		if strings.Contains(f.Name, "smtp") || strings.Contains(f.Name, "password") {
			t.Errorf("--%s shows a secret to other users", f.Name)
		}
	})
}

func TestSMTP_WrongSettingsAreNamed(t *testing.T) {
	t.Parallel()
	const good = `"host":"m.example.com","from":"a@example.com"`
	for name, tt := range map[string]struct{ file, setting string }{
		"no sender":             {`{"smtp":{"host":"m.example.com"}}`, "smtp.from"},
		"sender is none":        {`{"smtp":{"host":"m.example.com","from":"flawmark"}}`, "smtp.from"},
		"sender with a line":    {`{"smtp":{"host":"m.example.com","from":"a@example.com\r\nBcc: b@example.com"}}`, "smtp.from"},
		"host with a port":      {`{"smtp":{"host":"m.example.com:25","from":"a@example.com"}}`, "smtp.host"},
		"bounces are none":      {`{"smtp":{` + good + `,"bounces":"Bounces <b@example.com>"}}`, "smtp.bounces"},
		"bounces to nobody":     {`{"smtp":{` + good + `,"bounces":"bounces"}}`, "smtp.bounces"},
		"port":                  {`{"smtp":{` + good + `,"port":70000}}`, "smtp.port"},
		"tls":                   {`{"smtp":{` + good + `,"tls":"maybe"}}`, "smtp.tls"},
		"user alone":            {`{"smtp":{` + good + `,"user":"u"}}`, "smtp.user"},
		"password in the clear": {`{"smtp":{` + good + `,"user":"u","password":"p","tls":"none"}}`, "smtp.tls"},
		"hour":                  {`{"notices":{"quiet_from":24}}`, "notices.quiet_from"},
		"reminder":              {`{"notices":{"remind_hours":[0]}}`, "notices.remind_hours"},
	} {
		_, err := loadMail(t, tt.file)
		invalid, ok := errors.AsType[*Invalid](err)
		if !ok || invalid.Setting != tt.setting {
			t.Errorf("%s: %v, want %s", name, err, tt.setting)
		}
	}
}
