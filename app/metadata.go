package main

import (
	"fyne.io/fyne/v2"

	"flawmark/assets"
)

// What FyneApp.toml says, for programs that are not started beside it. A test
// compares the two.
const (
	appID      = "io.flawmark.station"
	appName    = "Flawmark"
	appVersion = "0.1.0"
	appBuild   = 1
)

// metadata returns what the toolkit would otherwise look for in a file of the
// folder that the program happens to be started in.
func metadata() fyne.AppMetadata {
	return fyne.AppMetadata{
		ID: appID, Name: appName, Version: appVersion, Build: appBuild,
		Icon:       fyne.NewStaticResource("icon.png", assets.IconPNG()),
		Release:    true,
		Migrations: map[string]bool{"fyneDo": true},
	}
}
