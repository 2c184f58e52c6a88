package money

import (
	"regexp"
	"strings"
)

var thousands = regexp.MustCompile(`^-?\d{1,3}(,\d{3})+(\.\d{1,2})?$`)

// ReadCNY reads a sum in CNY as people and marketplaces write it: "1234.5",
// "¥1,234.50", "1,234.50元", "CNY 1234.50". What could be meant otherwise is
// refused, as by [Parse].
func ReadCNY(text string) (Amount, error) {
	text = strings.TrimSpace(text)
	for _, mark := range []string{"人民币", "RMB", "CNY", "¥", "+"} {
		text = strings.TrimSpace(strings.TrimPrefix(text, mark))
	}
	for _, mark := range []string{"元", "CNY", "RMB"} {
		text = strings.TrimSpace(strings.TrimSuffix(text, mark))
	}
	if thousands.MatchString(text) {
		text = strings.ReplaceAll(text, ",", "")
	}
	return Parse(text, CNY)
}
