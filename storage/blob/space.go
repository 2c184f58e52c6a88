package blob

// Space is the room on a disk, in bytes.
type Space struct {
	Free  int64 `json:"free"` // for this user
	Total int64 `json:"total"`
}

// Floors returns how much of the disk is to stay free: below warn somebody
// should make room, below refuse nothing new is taken. The wanted figures hold
// where they are given; else they are what two shifts of photos need and 5 GB,
// but at most a fifth and a twentieth of a small disk.
func (s Space) Floors(wantWarn, wantRefuse int64) (warn, refuse int64) {
	const twoShifts, least = 48e9, 5e9
	warn, refuse = wantWarn, wantRefuse
	if warn <= 0 {
		warn = min(twoShifts, s.Total/5)
	}
	if refuse <= 0 {
		refuse = min(least, s.Total/20)
	}
	return max(warn, refuse), refuse
}
