package assets

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

//go:embed words/*/*.json
var wordFiles embed.FS

// Words are the texts of one language by key. The first part of a key names its
// area: "station", "web", "error", "cli" and "notice" each have a file of their own, all
// others are common to both programs. A text may hold placeholders such as
// {name}, and words that go by a number, such as {name:is|are}: the first form
// stands where the value is 1. Words are read-only and safe for use by many goroutines.
type Words struct {
	language string
	texts    map[string]string
}

// Languages lists the languages there are words for, the default first.
func Languages() []string { return []string{"en", "zh"} }

// LoadWords reads the words of a language. Tags such as "zh-CN", "zh_Hans" or
// "en-GB" find their language; a language without words is an error.
func LoadWords(language string) (Words, error) {
	base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(language, "_", "-")), "-")
	words := Words{language: base, texts: map[string]string{}}
	files, err := wordFiles.ReadDir("words/" + base)
	if err != nil {
		return Words{}, fmt.Errorf("load words of language %q: %w", language, err)
	}
	for _, file := range files {
		data, err := wordFiles.ReadFile("words/" + base + "/" + file.Name())
		if err != nil {
			return Words{}, fmt.Errorf("load words %s/%s: %w", base, file.Name(), err)
		}
		if err := json.Unmarshal(data, &words.texts); err != nil {
			return Words{}, fmt.Errorf("load words %s/%s: %w", base, file.Name(), err)
		}
	}
	return words, nil
}

// Language is the base tag of these words, one of [Languages].
func (w Words) Language() string { return w.language }

// Has reports whether there is a text for the key.
func (w Words) Has(key string) bool { _, ok := w.texts[key]; return ok }

// Keys returns every key, in no order.
func (w Words) Keys() []string {
	keys := make([]string, 0, len(w.texts))
	for key := range w.texts {
		keys = append(keys, key)
	}
	return keys
}

// Text returns the text of a key with its placeholders filled from pairs of name
// and value: Text("delivery.sent", "n", "3", "m", "5"). Values are put in as they
// are and never searched for placeholders. An unknown key returns itself, so that
// a missing text is seen and reported rather than blank.
func (w Words) Text(key string, pairs ...string) string {
	text, ok := w.texts[key]
	if !ok {
		return key
	}
	if len(pairs) == 0 {
		return text
	}
	replacements := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		text = agreeing(text, pairs[i], pairs[i+1])
		replacements = append(replacements, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(replacements...).Replace(text)
}

// agreeing chooses the forms of words that go by the number called name.
func agreeing(text, name, number string) string {
	for {
		before, rest, found := strings.Cut(text, "{"+name+":")
		forms, after, whole := strings.Cut(rest, "}")
		if !found || !whole {
			return text
		}
		one, more, _ := strings.Cut(forms, "|")
		if number == "1" {
			more = one
		}
		text = before + more + after
	}
}

// Count returns the text of a key for n things, with {n} filled: the text of
// key+".one" if n is one and there is such a text, else that of the key.
func (w Words) Count(key string, n int, pairs ...string) string {
	if one := key + ".one"; n == 1 && w.Has(one) {
		key = one
	}
	return w.Text(key, append([]string{"n", strconv.Itoa(n)}, pairs...)...)
}

// Quoted writes what others call things as a list: “a”, “b”.
func (w Words) Quoted(names []string) string {
	return "“" + strings.Join(names, "”"+w.Text("web.or")+"“") + "”"
}
