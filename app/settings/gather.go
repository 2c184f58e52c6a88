package settings

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Flags declares the station's flags on set.
func (Station) Flags(set *flag.FlagSet) {
	set.String("data", "", "`folder` of this station's database and photos (default "+defaultData("station")+")")
	set.String("central", "", "`URL` of the centre, such as https://qc.example.com")
	set.String("lang", "", "language, `en|zh` (default: the system's)")
	set.String("name", "", "`name` of this bench")
	set.String("watch", "", "`folder` that a camera or phone writes photos to")
	set.String("scale", "", "`factor` to enlarge the window by, 0.5 to 4")
	set.String("upload-limit", "", "`rate` that original photos are sent at, such as "+WantRate)
	set.String("ca-file", "", "PEM `file` of the authorities that vouch for the centre (default: the system's)")
	set.Var(new(many), "pin", "SHA-256 of a public key that the centre must show, `base64`; several with commas, or give it again")
	set.String("proxy", "", "`URL` of the proxy to the centre (default: the environment's)")
	set.String("key-store", "", "where the private key is kept, `system|file` (default system, where there is one)")
	set.Bool("demo", false, "enrol at a demo centre without asking")
}

// Flags declares the centre's flags on set.
func (Centre) Flags(set *flag.FlagSet) {
	set.String("data", "", "`folder` of the database and photos (default "+defaultData("central")+")")
	set.String("listen", "", "`address` to listen on (default 127.0.0.1:8480)")
	set.String("lang", "", "language of what is printed, `en|zh` (default: the system's)")
	set.String("tls-cert", "", "PEM `file` of the server's certificate chain")
	set.String("tls-key", "", "PEM `file` of its private key")
	set.String("metrics", "", "`address` for metrics alone, on this machine, such as 127.0.0.1:9480 (default: none)")
	set.String("database", "", "`URL` of a PostgreSQL database, postgres://user@host/name (default: SQLite in the data folder)")
	set.String("objects", "", "`URL` of an S3 bucket for photo files, s3://bucket?endpoint=https://host (default: a folder in the data folder)")
	set.String("objects-ca", "", "PEM `file` of the authorities that vouch for the S3 server (default: the system's)")
	set.String("drain", "", "`time` to go on serving when told to stop, for a balancer to notice, such as 10s (default: none)")
	set.String("public", "", "base `URL` that customers' links begin with (default: the address listened on)")
	set.Bool("demo", false, "load sample orders and approve stations of this machine without asking")
}

func (s *Station) assign(name, value string) (err error) {
	switch name {
	case "data":
		s.Data = value
	case "central":
		s.Central = value
	case "lang":
		s.Lang = value
	case "name":
		s.Name = value
	case "watch":
		s.Watch = value
	case "scale":
		s.Scale, err = strconv.ParseFloat(value, 64)
	case "upload-limit":
		s.UploadLimit = value
	case "ca-file":
		s.CAFile = value
	case "pin":
		s.Pins = splitPins(value)
	case "proxy":
		s.Proxy = value
	case "key-store":
		s.KeyStore = value
	case "demo":
		s.Demo, err = strconv.ParseBool(value)
	}
	return err
}

func (c *Centre) assign(name, value string) (err error) {
	switch name {
	case "data":
		c.Data = value
	case "listen":
		c.Listen = value
	case "lang":
		c.Lang = value
	case "tls-cert":
		c.TLSCert = value
	case "tls-key":
		c.TLSKey = value
	case "metrics":
		c.Metrics = value
	case "public":
		c.Public = value
	case "database":
		c.Database = value
	case "drain":
		c.Drain, err = time.ParseDuration(value)
	case "objects":
		c.Objects = value
	case "objects-ca":
		c.ObjectsCA = value
	case "demo":
		c.Demo, err = strconv.ParseBool(value)
	}
	return err
}

func (s *Station) check() error {
	if s.Central != "" {
		if err := checkURL("--central", s.Central); err != nil {
			return err
		}
		s.Central = strings.TrimRight(s.Central, "/")
	}
	if s.Lang != "en" && s.Lang != "zh" {
		return &Invalid{Key: "cli.setting_invalid", Setting: "--lang", Value: s.Lang, Want: "en, zh"}
	}
	if _, err := ParseRate(s.UploadLimit); err != nil {
		return &Invalid{Key: "cli.setting_invalid", Setting: "--upload-limit", Value: s.UploadLimit, Want: WantRate, Cause: err}
	}
	if err := s.checkTrust(); err != nil {
		return err
	}
	for name, value := range map[string]float64{
		"warn_free_gb": s.WarnFree, "min_free_gb": s.MinFree, "keep_photos_days": float64(s.KeepPhotos),
	} {
		if !(value >= 0 && value <= 1e6) {
			return &Invalid{Key: "cli.setting_invalid", Setting: name, Value: fmt.Sprint(value), Want: "≥ 0"}
		}
	}
	if s.Scale != 0 && !(s.Scale >= 0.5 && s.Scale <= 4) {
		return &Invalid{Key: "cli.setting_invalid", Setting: "--scale", Value: fmt.Sprint(s.Scale), Want: "0.5 – 4"}
	}
	return checkData(&s.Data)
}

func (c *Centre) check() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil || port == "" {
		return &Invalid{Key: "cli.setting_invalid", Setting: "--listen", Value: c.Listen, Want: "0.0.0.0:8480"}
	}
	if c.Demo && !isThisMachine(host) {
		return &Invalid{Key: "cli.demo_exposed", Setting: "--demo", Value: c.Listen, Want: "127.0.0.1:" + port}
	}
	if c.Lang != "en" && c.Lang != "zh" {
		return &Invalid{Key: "cli.setting_invalid", Setting: "--lang", Value: c.Lang, Want: "en, zh"}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return &Invalid{Key: "cli.setting_pair", Setting: "--tls-cert", Value: "--tls-key"}
	}
	if c.Public != "" {
		if err := checkURL("--public", c.Public); err != nil {
			return err
		}
		c.Public = strings.TrimRight(c.Public, "/")
	}
	if c.Database != "" && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		return &Invalid{Key: "cli.database_invalid", Setting: "--database", Want: "postgres://user@host/name"}
	}
	if c.Drain < 0 || c.Drain > 10*time.Minute {
		return &Invalid{Key: "cli.setting_invalid", Setting: "--drain", Value: c.Drain.String(), Want: "0s – 10m"}
	}
	if err := c.checkObjects(); err != nil {
		return err
	}
	if err := c.SMTP.check(); err != nil {
		return err
	}
	if err := c.Notices.check(); err != nil {
		return err
	}
	if err := errors.Join(c.Retention.check(), c.checkMetrics()); err != nil {
		return err
	}
	for _, text := range c.TrustedProxies {
		if _, err := parseNetwork(text); err != nil {
			return &Invalid{Key: "cli.setting_invalid", Setting: "trusted_proxies", Value: text, Want: "127.0.0.1, 10.0.0.0/8", Cause: err}
		}
	}
	return checkData(&c.Data)
}

// isThisMachine reports whether only programs of this machine reach host.
func isThisMachine(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// parseNetwork reads a network, or an address as the network of it alone.
func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	return network.Masked(), err
}

func checkURL(name, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return &Invalid{Key: "cli.setting_invalid", Setting: name, Value: text, Want: "https://qc.example.com"}
	}
	return nil
}

func checkData(data *string) error {
	absolute, err := filepath.Abs(*data)
	if err != nil {
		return &Invalid{Key: "cli.folder_unusable", File: *data, Cause: err}
	}
	*data = absolute
	return nil
}

// gather fills into from the file, the environment and the flags. The data
// folder comes first, because the file lies in it.
func gather(set *flag.FlagSet, env []string, data *string, into any, assign func(name, value string) error) error {
	given := make(map[string]string)
	set.VisitAll(func(f *flag.Flag) {
		key := "FLAWMARK_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := lookup(env, key); ok {
			given[f.Name] = value
		}
	})
	set.Visit(func(f *flag.Flag) { given[f.Name] = f.Value.String() })
	if folder := given["data"]; folder != "" {
		*data = folder
	}
	folder := *data
	if err := readFile(filepath.Join(folder, FileName), into); err != nil {
		return err
	}
	*data = folder
	for name, value := range given {
		if value == "" {
			continue
		}
		if err := assign(name, value); err != nil {
			return &Invalid{Key: "cli.setting_invalid", Setting: "--" + name, Value: value, Want: "--help"}
		}
	}
	return nil
}

func readFile(path string, into any) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if folder, failed := os.Stat(filepath.Dir(path)); err != nil && failed == nil && !folder.IsDir() {
		return &Invalid{Key: "cli.folder_unusable", File: filepath.Dir(path), Cause: err}
	}
	if err != nil {
		return &Invalid{Key: "cli.settings_broken", File: path, Cause: err}
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return &Invalid{Key: "cli.settings_broken", File: path, Cause: err}
	}
	return nil
}

func lookup(env []string, key string) (string, bool) {
	i := slices.IndexFunc(env, func(pair string) bool { return strings.HasPrefix(pair, key+"=") })
	if i < 0 {
		return "", false
	}
	return env[i][len(key)+1:], true
}

// Language returns the language that the flags or the environment ask for,
// without reading anything else: it is wanted even when the rest is wrong.
func Language(set *flag.FlagSet, env []string) string {
	if f := set.Lookup("lang"); f != nil && f.Value.String() != "" {
		return f.Value.String()
	}
	if value, ok := lookup(env, "FLAWMARK_LANG"); ok && value != "" {
		return value
	}
	return systemLanguage(env)
}

// systemLanguage returns "zh" where the system speaks Chinese, "en" elsewhere.
func systemLanguage(env []string) string {
	for _, key := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value, ok := lookup(env, key); ok && value != "" {
			if strings.HasPrefix(value, "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

// defaultData returns the folder used when none is named.
func defaultData(program string) string {
	base, err := os.UserConfigDir()
	if err != nil {
		base = "."
	}
	return filepath.Join(base, "flawmark", program)
}
