// Package settings gathers what an administrator may choose, for both
// programs: from a file, then the environment, then flags, each overriding the
// one before, into one checked struct that nothing changes afterwards.
//
// The file is settings.json in the data folder. The environment variable of a
// setting is its flag in capitals behind FLAWMARK_, with an underline for each
// hyphen: --tls-cert is FLAWMARK_TLS_CERT.
package settings

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"flawmark/app/durable"
	"flawmark/app/qc"
)

// FileName is the name of the settings file in a data folder.
const FileName = "settings.json"

// ErrInvalid reports a setting that cannot be used. It comes as an *[Invalid].
var ErrInvalid = errors.New("setting cannot be used")

// Invalid says which setting cannot be used, and what would be right.
type Invalid struct {
	Key     string // of the sentence that the person reads
	Setting string // as it is typed, such as "--lang"
	Value   string // what it is
	Want    string // what it may be, in no language
	File    string // the file or folder that is meant, where it is no setting
	Cause   error  // may be nil
}

func (i *Invalid) Error() string {
	text := ErrInvalid.Error() + ": " + i.Setting + i.File
	if i.Value != "" {
		text += fmt.Sprintf(": %q", i.Value)
	}
	if i.Cause != nil {
		text += ": " + i.Cause.Error()
	}
	return text
}

// Is makes every Invalid an [ErrInvalid].
func (i *Invalid) Is(target error) bool { return target == ErrInvalid }

func (i *Invalid) Unwrap() error { return i.Cause }

// Station is what a station may be told.
type Station struct {
	Data    string  `json:"-"`                 // folder of the database and photos
	Central string  `json:"central,omitempty"` // base URL of the centre
	Lang    string  `json:"lang,omitempty"`    // "en" or "zh"
	Name    string  `json:"name,omitempty"`    // what people call this bench
	Watch   string  `json:"watch,omitempty"`   // folder that a camera writes to
	Scale   float64 `json:"scale,omitempty"`   // of the window's texts and controls; 0: 1
	Dark    bool    `json:"dark,omitempty"`    // dark panels instead of light ones
	Gloves  bool    `json:"gloves,omitempty"`  // large targets on the screen
	Demo    bool    `json:"-"`                 // enrol by itself at a demo centre

	// Keys are those that were chosen for the window's commands, such as
	// "tool.box": "R". The window checks them, which knows the commands. They
	// are set in the file and in the window.
	Keys map[string]string `json:"keys,omitempty"`

	// CAFile is a PEM file with the authorities that vouch for the centre in
	// place of the system's; empty: the system's do. Pins are at most
	// [MaxPins] SHA-256 sums of public keys (SPKI) in base64, of which the
	// centre's chain must have one; none: any will do. Proxy is the address
	// through which the centre is reached; empty: what the environment says.
	CAFile string   `json:"ca_file,omitempty"`
	Pins   []string `json:"pins,omitempty"`
	Proxy  string   `json:"proxy,omitempty"`
	// KeyStore is where the station's private key is kept: [KeyInSystem],
	// where the system has a store for such things, or [KeyInFile]; empty
	// stands for the former.
	KeyStore string `json:"key_store,omitempty"`

	// UploadLimit holds original photos back to leave the network to others,
	// as [ParseRate] reads it.
	UploadLimit string `json:"upload_limit,omitempty"`

	// What is to stay free of the disk, in GB: below WarnFree the window says
	// so, below MinFree no new photo is taken. 0: what suits the disk. They are
	// set in the file only, as is KeepPhotos: for how many days originals stay
	// that the centre has; 0: 30.
	WarnFree   float64 `json:"warn_free_gb,omitempty"`
	MinFree    float64 `json:"min_free_gb,omitempty"`
	KeepPhotos int     `json:"keep_photos_days,omitempty"`
}

// Centre is what the refund service may be told.
type Centre struct {
	Data    string `json:"-"`                  // folder of the database and photos
	Listen  string `json:"listen,omitempty"`   // host:port
	Lang    string `json:"lang,omitempty"`     // of what is printed
	TLSCert string `json:"tls_cert,omitempty"` // PEM file
	TLSKey  string `json:"tls_key,omitempty"`  // PEM file
	Public  string `json:"public,omitempty"`   // base URL in customers' links; "" = as listened
	Demo    bool   `json:"-"`                  // sample orders; approves stations of this machine

	// Database is the address of a PostgreSQL database; "" = SQLite in Data. It
	// may hold a password and is said nowhere.
	Database string `json:"database,omitempty"`

	// Objects is the address of a bucket for photo files; "" = a folder in Data.
	// ObjectsCA is a PEM file of the authorities that vouch for the store; "" =
	// the system's. S3 is what the store knows the centre by.
	Objects   string `json:"objects,omitempty"`
	ObjectsCA string `json:"objects_ca,omitempty"`
	S3        S3Keys `json:"-"`

	// Drain is how long the service goes on after it was told to stop, so that a
	// balancer hears of it. It is set by flag and in the environment.
	Drain time.Duration `json:"-"`

	// Review says which flags wait for a shift lead; nil: the default policy.
	// It is set in the file only.
	Review *qc.ReviewPolicy `json:"review,omitempty"`

	// TrustedProxies are the addresses and networks, such as "127.0.0.1" or
	// "10.0.0.0/8", whose word on whom they speak for is believed. They are set
	// in the file only.
	TrustedProxies []string `json:"trusted_proxies,omitempty"`

	// Metrics is an address for metrics alone, "host:port" of this machine; "":
	// none. MetricsToken is what must be brought to read them at the centre's own
	// address, or at another machine's; "": there they cannot be read. It is set
	// in the file and by FLAWMARK_METRICS_TOKEN.
	Metrics      string `json:"metrics,omitempty"`
	MetricsToken string `json:"metrics_token,omitempty"`

	// Retention is how long original photos stay. It is set in the file only.
	Retention Retention `json:"retention,omitzero"`

	// SMTP is the server for mails to customers, and Notices when they are
	// told. They are set in the file, SMTP in the environment, too.
	SMTP    SMTP    `json:"smtp,omitzero"`
	Notices Notices `json:"notices,omitzero"`

	// OIDC is where people of the house sign in for everything else.
	OIDC OIDC `json:"oidc,omitzero"`
}

// Proxies returns TrustedProxies as networks; what is not one is left out.
func (c Centre) Proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range c.TrustedProxies {
		if network, err := parseNetwork(text); err == nil {
			all = append(all, network)
		}
	}
	return all
}

// LoadStation reads the settings of a station. The flags of set must have been
// declared by [Station.Flags] and parsed.
func LoadStation(set *flag.FlagSet, env []string) (Station, error) {
	s := Station{Data: defaultData("station"), Lang: systemLanguage(env)}
	if err := gather(set, env, &s.Data, &s, s.assign); err != nil {
		return Station{}, err
	}
	return s, s.check()
}

// LoadCentre reads the settings of the centre, as [LoadStation] does.
func LoadCentre(set *flag.FlagSet, env []string) (Centre, error) {
	c := Centre{Data: defaultData("central"), Listen: "127.0.0.1:8480", Lang: systemLanguage(env)}
	if err := gather(set, env, &c.Data, &c, c.assign); err != nil {
		return Centre{}, err
	}
	if err := c.SMTP.fromEnvironment(env); err != nil {
		return Centre{}, err
	}
	if err := c.S3.fromEnvironment(env); err != nil {
		return Centre{}, err
	}
	if token, ok := lookup(env, "FLAWMARK_METRICS_TOKEN"); ok {
		c.MetricsToken = token
	}
	if err := c.check(); err != nil {
		return Centre{}, err
	}
	return c, c.OIDC.check(env, c.Public)
}

// Save writes the station's file, so that what was chosen in the window holds
// on the next start.
func (s Station) Save() error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("save settings: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(s.Data, FileName), append(data, '\n')); err != nil {
		return fmt.Errorf("save settings: %w", err)
	}
	return nil
}
