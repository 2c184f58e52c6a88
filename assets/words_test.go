package assets

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	placeholder = regexp.MustCompile(`\{[a-z_]+\}`)
	forms       = regexp.MustCompile(`\{([a-z_]+):[^{}|]+\|[^{}|]+\}`) // which each language has as it needs them
	keyShape    = regexp.MustCompile(`^[a-z0-9_]+(\.[A-Za-z0-9_]+)*$`)
	han         = regexp.MustCompile(`\p{Han}`)
)

// wordFile reads one area as it is on disk, refusing a key written twice.
func wordFile(t *testing.T, language, area string) map[string]string {
	t.Helper()
	data := mustRead(wordFiles, "words/"+language+"/"+area+".json")
	texts := map[string]string{}
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatalf("%s/%s.json: %v", language, area, err)
	}
	if written := strings.Count(string(data), `": "`); written < len(texts) {
		t.Errorf("%s/%s.json is not one key a line", language, area)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		key, _, ok := strings.Cut(strings.TrimSpace(line), `": "`)
		if !ok {
			continue
		}
		if seen[key] {
			t.Errorf("%s/%s.json has %s\" twice", language, area, key)
		}
		seen[key] = true
	}
	return texts
}

func TestWords_BothLanguagesSayTheSameThings(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	for _, area := range []string{"common", "station", "web", "error", "cli", "notice"} {
		en, zh := wordFile(t, "en", area), wordFile(t, "zh", area)
		for key, text := range en {
			other, ok := zh[key]
			if !ok {
				t.Errorf("%s: %s has no Chinese", area, key)
				continue
			}
			if strings.TrimSpace(text) == "" || strings.TrimSpace(other) == "" {
				t.Errorf("%s: %s is empty", area, key)
			}
			got, want := placeholder.FindAllString(other, -1), placeholder.FindAllString(text, -1)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s has the placeholders %v in Chinese, %v in English", area, key, got, want)
			}
			for _, each := range []string{text, other} {
				for _, form := range forms.FindAllStringSubmatch(each, -1) {
					if !slices.Contains(want, "{"+form[1]+"}") {
						t.Errorf("%s: %s has %s and does not say the number", area, key, form[0])
					}
				}
			}
			if rest := forms.ReplaceAllString(placeholder.ReplaceAllString(text+other, ""), ""); strings.ContainsAny(rest, "{}") {
				t.Errorf("%s: %s has a broken placeholder", area, key)
			}
		}
		for key := range zh {
			if _, ok := en[key]; !ok {
				t.Errorf("%s: %s has no English", area, key)
			}
		}
		for key := range en {
			if !keyShape.MatchString(key) {
				t.Errorf("%s: %q is not the shape of a key", area, key)
			}
			if area != "common" && !strings.HasPrefix(key, area+".") {
				t.Errorf("%s: %s belongs to another file", area, key)
			}
			if before, ok := owner[key]; ok {
				t.Errorf("%s is in %s and in %s", key, before, area)
			}
			owner[key] = area
		}
	}
}

func TestWords_EnglishIsEnglishAndChineseIsChinese(t *testing.T) {
	t.Parallel()
	for _, language := range Languages() {
		words, err := LoadWords(language)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range words.Keys() {
			text := words.Text(key)
			if strings.HasPrefix(key, "language.") {
				continue // each language is named in itself
			}
			if language == "en" && han.MatchString(text) {
				t.Errorf("en %s is Chinese: %s", key, text)
			}
			if strings.HasPrefix(key, "error.") && !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "。") {
				t.Errorf("%s %s is not a sentence: %s", language, key, text)
			}
			if language == "zh" && len(text) > 24 && !han.MatchString(text) {
				t.Errorf("zh %s is not Chinese: %s", key, text)
			}
		}
	}
}

func TestWords_EveryStatusIsNamedForCustomerAndDesk(t *testing.T) {
	t.Parallel()
	statuses := strings.Fields(`flagged awaiting_decision photos_requested negotiating offer_pending seller_refused
		escalated return_approved returning return_exception seller_refunding refund_short exchanging rechecking
		disputed credited credited_kept exchanged kept withdrawn forfeited corrected`)
	for _, language := range Languages() {
		words, err := LoadWords(language)
		if err != nil {
			t.Fatal(err)
		}
		for _, status := range statuses {
			for _, prefix := range []string{"status.", "status.desk.", "status.meaning."} {
				if !words.Has(prefix + status) {
					t.Errorf("%s has no %s%s", language, prefix, status)
				}
			}
		}
	}
}

func TestWords_Text(t *testing.T) {
	t.Parallel()
	words := Words{language: "en", texts: map[string]string{
		"plain": "Save", "sent": "Sent {n} of {m}", "left": "{n} left", "left.one": "the last one",
		"agree": "{n} {n:file is|files are} here, {m} {m:is|are} not",
	}}
	cases := []struct{ name, got, want string }{
		{"plain", words.Text("plain"), "Save"},
		{"filled", words.Text("sent", "n", "3", "m", "5"), "Sent 3 of 5"},
		{"a value is not searched", words.Text("sent", "n", "{m}", "m", "5"), "Sent {m} of 5"},
		{"an unfilled placeholder shows", words.Text("sent", "n", "3"), "Sent 3 of {m}"},
		{"a name without value is ignored", words.Text("sent", "n"), "Sent {n} of {m}"},
		{"words go by their numbers", words.Text("agree", "n", "1", "m", "2"), "1 file is here, 2 are not"},
		{"by each its own", words.Text("agree", "n", "0", "m", "1"), "0 files are here, 1 is not"},
		{"a value has no forms", words.Text("sent", "n", "{m:a|b}", "m", "1"), "Sent {m:a|b} of 1"},
		{"unknown key", words.Text("nothing.here"), "nothing.here"},
		{"one", words.Count("left", 1), "the last one"},
		{"many", words.Count("left", 4), "4 left"},
		{"one without its own text", words.Count("sent", 1, "m", "2"), "Sent 1 of 2"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestLoadWords_FindsTheLanguageOfATag(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{"en": "en", "en-GB": "en", "zh_Hans": "zh", "zh-CN": "zh", "ZH": "zh", "fr": "", "": "", "../en": ""} {
		words, err := LoadWords(tag)
		if (err == nil) != (want != "") || words.Language() != want {
			t.Errorf("LoadWords(%q) is %q, %v; want %q", tag, words.Language(), err, want)
		}
	}
}
