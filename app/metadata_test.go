package main

import (
	"testing"

	"github.com/BurntSushi/toml"
)

func TestMetadata_IsWhatFyneAppSays(t *testing.T) {
	t.Parallel()
	var file struct {
		Details struct {
			Name, ID, Version, Icon string
			Build                   int
		}
		Migrations map[string]bool
	}
	if _, err := toml.DecodeFile("../FyneApp.toml", &file); err != nil {
		t.Fatal(err)
	}
	if d := file.Details; d.ID != appID || d.Name != appName || d.Version != appVersion || d.Build != appBuild {
		t.Errorf("FyneApp.toml says %+v", d)
	}
	if !file.Migrations["fyneDo"] || !metadata().Migrations["fyneDo"] {
		t.Error("the toolkit's thread migration must be on in both")
	}
}
