package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flawmark/app/settings"
)

func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// understood fails the test unless the program takes such a command.
func understood(t *testing.T, words []string) {
	t.Helper()
	var out, errOut bytes.Buffer
	if exit := program().Main(t.Context(), append(words, "--help"), nil, t.TempDir(), &out, &errOut); exit != 0 {
		t.Errorf("%q: exit %d: %s", words, exit, &errOut)
	}
}

// unit is what a unit file says, by section and key.
func unit(t *testing.T, text string) map[string][]string {
	t.Helper()
	said := make(map[string][]string)
	section := ""
	for n, line := range strings.Split(text, "\n") {
		key, value, isPair := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = line
		case !isPair || section == "" || strings.ContainsAny(key, " \t"):
			t.Errorf("line %d: %q", n+1, line)
		default:
			said[section+key] = append(said[section+key], value)
		}
	}
	return said
}

func TestDeploy_Units(t *testing.T) {
	t.Parallel()
	const service, backup, timer = "flawmark-central.service", "flawmark-central-backup.service", "flawmark-central-backup.timer"
	for name, want := range map[string]map[string]string{
		service: {
			"DynamicUser": "yes", "StateDirectory": "flawmark", "ProtectSystem": "strict", "ProtectHome": "yes", "NoNewPrivileges": "yes",
			"CapabilityBoundingSet": "", "PrivateTmp": "yes", "PrivateDevices": "yes", "MemoryDenyWriteExecute": "yes",
			"Restart": "on-failure", "UMask": "0077",
		},
		backup: {
			"DynamicUser": "yes", "User": "flawmark", "StateDirectory": "flawmark", "ProtectSystem": "strict", "NoNewPrivileges": "yes", "Type": "oneshot",
			"CapabilityBoundingSet": "", "UMask": "0077",
		},
	} {
		said := unit(t, deployed(t, name))
		for key, value := range want {
			if got := said["[Service]"+key]; !slices.Equal(got, []string{value}) {
				t.Errorf("%s: %s is %q, want %q", name, key, got, value)
			}
		}
		command := regexp.MustCompile(`/usr/local/bin/flawmark-central ([^;']*)`).FindStringSubmatch(said["[Service]ExecStart"][0])
		if command == nil {
			t.Fatalf("%s starts %q", name, said["[Service]ExecStart"])
		}
		understood(t, strings.Fields(command[1]))
	}
	if said := unit(t, deployed(t, timer)); len(said["[Timer]OnCalendar"]) != 1 || len(said["[Install]WantedBy"]) != 1 {
		t.Errorf("the timer says %v", said)
	}

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{service, backup, timer} {
		text := strings.ReplaceAll(deployed(t, name), "/usr/local/bin/flawmark-central", self)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	analyze := func(args ...string) string {
		t.Helper()
		said, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze %v: %v\n%s", args, err, said)
		}
		return string(said)
	}
	if said := analyze("verify", filepath.Join(dir, service), filepath.Join(dir, backup), filepath.Join(dir, timer)); strings.Contains(said, dir) {
		t.Error(said)
	}
	// 10 is a service that may do everything; the figure is in tenths.
	for _, name := range []string{service, backup} {
		analyze("security", "--offline=true", "--threshold=15", filepath.Join(dir, name))
	}
}

// What an image and its neighbours set, the program reads.
func TestDeploy_Containers(t *testing.T) {
	t.Parallel()
	image, compose := deployed(t, "Dockerfile"), deployed(t, "compose.yaml")
	set := flag.NewFlagSet("", flag.ContinueOnError)
	settings.Centre{}.Flags(set)
	variables := regexp.MustCompile(`FLAWMARK_[A-Z_]+`).FindAllString(image+compose, -1)
	if len(variables) < 4 {
		t.Errorf("only %q are set", variables)
	}
	for _, variable := range variables {
		name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "FLAWMARK_"), "_", "-"))
		if set.Lookup(name) == nil {
			t.Errorf("%s is no setting", variable)
		}
	}
	last := image[strings.LastIndex(image, "\nFROM "):]
	if !strings.HasPrefix(last, "\nFROM scratch\n") || !regexp.MustCompile(`(?m)^USER [1-9][0-9]*:[1-9][0-9]*$`).MatchString(last) {
		t.Errorf("the image is not empty, or run by root:\n%s", last)
	}
	for _, copied := range regexp.MustCompile(`(?m)^COPY ([a-z]+) `).FindAllStringSubmatch(image, -1) {
		if info, err := os.Stat(filepath.Join("..", "..", copied[1])); err != nil || !info.IsDir() {
			t.Errorf("%s is copied and is not there: %v", copied[1], err)
		}
	}
	understood(t, []string{"serve"})
	if check := regexp.MustCompile(`HEALTHCHECK .*CMD \["/flawmark-central", "([a-z]+)"\]`).FindStringSubmatch(last); check == nil {
		t.Error("the image has no health check")
	} else {
		understood(t, check[1:])
	}
	for _, want := range []string{"read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "127.0.0.1:8480:8480", "stop_grace_period"} {
		if !strings.Contains(compose, want) {
			t.Errorf("compose.yaml lacks %q", want)
		}
	}
}

// A proxy that buffers stops event streams; one that hides the host has every
// form refused.
func TestDeploy_Proxies(t *testing.T) {
	t.Parallel()
	for name, all := range map[string][]string{
		"nginx.conf": {
			"proxy_buffering off;", "proxy_request_buffering off;", "proxy_set_header Host $http_host;", "X-Forwarded-For",
			"proxy_next_upstream error timeout non_idempotent;", "client_max_body_size 256m;", "access_log /var/log/nginx/flawmark.log without_query;",
		},
		"Caddyfile": {"max_size 256MB", "reverse_proxy 127.0.0.1:8480", "health_uri /readyz", "lb_try_duration"},
	} {
		text := deployed(t, name)
		for _, want := range all {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
}
