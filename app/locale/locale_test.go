package locale

import "testing"

func TestNamed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"nothing":      {map[string]string{}, false},
		"C":            {map[string]string{"LANG": "C.UTF-8"}, false},
		"POSIX wins":   {map[string]string{"LC_ALL": "POSIX", "LANG": "zh_CN.UTF-8"}, false},
		"Chinese":      {map[string]string{"LANG": "zh_CN.UTF-8"}, true},
		"chosen first": {map[string]string{"LANGUAGE": "en", "LC_ALL": "C"}, true},
	} {
		if got := named(func(key string) string { return tt.env[key] }); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}
