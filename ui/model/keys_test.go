package model_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

var (
	saidKey   = regexp.MustCompile(`"((?:station|error|screen|button|delivery|word|task|status|role|zone|verdict|severity|language|app)\.[a-z_.]+[a-z_])"`)
	saidStart = regexp.MustCompile(`"((?:station|error|screen|button|delivery|word|task|status|role|zone|verdict|severity|language)\.[a-z_.]*\.|(?:role|zone|verdict|severity|language|screen)\.)"`)
)

// keysInSource finds every key that models and screens say, the computed ones
// by their beginnings.
func keysInSource(t *testing.T, dirs ...string) []string {
	t.Helper()
	ends := map[string][]string{
		"station.link.":       {"offline", "probing", "online", "degraded", "not_authorised", "wrong_network", "too_old", "not_enrolled"},
		"station.advice.":     {"offline", "not_authorised", "wrong_network", "too_old", "not_enrolled"},
		"station.recorded.":   {"pass", "flag"},
		"station.queue.":      {"pass", "flag"},
		"station.reviewed.":   {"confirm", "send_back", "dismiss"},
		"station.review.why.": {"send_back", "dismiss"},
		"station.task.":       {"retake", "send_back", "put_aside", "reinspect", "release", "hold", "nothing"},
		"role.":               {"inspector", "lead"},
		"screen.":             {"inspect", "review", "queue", "cases", "settings"},
		"verdict.":            {"pass", "flag"},
		"language.":           {"en", "zh"},
		"zone.":               {"A", "B", "C"},
		"station.mark.scale.": {string(qc.ScaleStation), string(qc.ScaleMat), string(qc.ScaleCard), string(qc.ScaleRuler)},
		"station.phrase.":     {"here", "expected", "normal", "label", "missing"},
		"severity.":           nil,
		"status.desk.":        nil,
	}
	for _, s := range qc.Severities() {
		ends["severity."] = append(ends["severity."], string(s)+".letter")
	}
	for _, s := range refund.Statuses() {
		ends["status.desk."] = append(ends["status.desk."], string(s))
	}
	var keys []string
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources in %s: %v", dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range saidKey.FindAllStringSubmatch(string(source), -1) {
				keys = append(keys, m[1])
			}
			for _, m := range saidStart.FindAllStringSubmatch(string(source), -1) {
				if len(ends[m[1]]) == 0 {
					t.Errorf("%s says %s…, whose ends this test does not know", file, m[1])
				}
				for _, end := range ends[m[1]] {
					keys = append(keys, m[1]+end)
				}
			}
		}
	}
	return keys
}
