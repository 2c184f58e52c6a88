package main

import (
	"path"
	"strings"

	"flawmark/app/archive"
	"flawmark/app/qc"
)

// A backup is an archive with a station in it:
//
//	station.db                 a sound copy of the database
//	journal/…                  the journal as it was just after
//	station.key, settings.json what makes it this station
//	blobs.json                 the photo files that findings name
//	blobs/ab/<sha256>          the files themselves, where they were asked for
//	manifest.json              last: what is in it, with the hash of each
const archiveDatabase = "station.db"

// stationArchive is what backups of a station are like.
func stationArchive() archive.Kind {
	return archive.Kind{Program: "flawmark", Version: 1, Database: archiveDatabase, Others: func(name string) bool {
		switch dir, base := path.Split(name); dir {
		case "":
			return base == keyFileName || base == "settings.json" || base == "blobs.json"
		case "journal/":
			return base == "identity.json" || strings.HasSuffix(base, ".qcj")
		}
		return false
	}}
}

// manifest says what is in a station's archive.
type manifest struct {
	archive.Manifest
	Station qc.StationID `json:"station,omitempty"`
	Epoch   string       `json:"epoch"`
	Unsent  int          `json:"unsent"` // events that waited
}
