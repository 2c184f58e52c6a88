package settings

import (
	"net"
	"strconv"
)

// shortestToken is the least length of a token that nobody guesses.
const shortestToken = 16

func (c Centre) checkMetrics() error {
	invalid := func(setting, value, want string) error {
		return &Invalid{Key: "cli.setting_invalid", Setting: setting, Value: value, Want: want}
	}
	if c.MetricsToken != "" && len(c.MetricsToken) < shortestToken {
		return invalid("metrics_token", "…", "openssl rand -hex 24")
	}
	if c.Metrics == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.Metrics)
	if err != nil || port == "" {
		return invalid("--metrics", c.Metrics, "127.0.0.1:9480")
	}
	if !isThisMachine(host) && c.MetricsToken == "" {
		return invalid("--metrics", c.Metrics, "127.0.0.1:"+port+", metrics_token")
	}
	return nil
}

// Retention is how many days original photos stay at the centre: of passed items
// after stock-in, of flagged ones after the case's end. 0 is for ever, nil as
// usual. Originals that money moved for stay in any case.
type Retention struct {
	PassedDays  *int `json:"passed_days,omitempty"`
	FlaggedDays *int `json:"flagged_days,omitempty"`
}

func (r Retention) check() error {
	// A station keeps for two weeks what a restored centre may ask for again.
	const least, most = 15, 36500
	for name, days := range map[string]*int{"passed_days": r.PassedDays, "flagged_days": r.FlaggedDays} {
		if days != nil && *days != 0 && (*days < least || *days > most) {
			return &Invalid{Key: "cli.setting_invalid", Setting: "retention." + name, Value: strconv.Itoa(*days), Want: "0, 15 – 36500"}
		}
	}
	return nil
}
