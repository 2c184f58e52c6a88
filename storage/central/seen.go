package central

import (
	"slices"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// asSeen returns an item's cases and findings as its customer knows them, out
// of all cases, oldest first, and all findings, newest first.
func asSeen(cases []refund.Case, findings []qc.Finding) ([]refund.Case, []qc.Finding) {
	var seen []refund.Case
	var shown []qc.Finding
	hidden := false // something is being looked at that the customer does not know of
	for _, c := range cases {
		c = betweenRounds(c, findings)
		switch {
		case c.Status.Visible():
			seen = append(seen, c)
			shown = append(shown, ofCase(c, findings)...)
		case c.Status == refund.Withdrawn && (told(c) || len(cases) == 1):
			seen = append(seen, c)
		case c.Status == refund.Flagged:
			hidden = true
		}
	}
	visible := slices.ContainsFunc(seen, func(c refund.Case) bool { return c.Status.Visible() })
	if !hidden && !visible {
		if i := slices.IndexFunc(findings, func(f qc.Finding) bool { return f.Verdict == qc.Pass }); i >= 0 {
			shown = append(shown, findings[i])
		}
	}
	return seen, shown
}

// told reports whether the customer has seen the case at some time.
func told(c refund.Case) bool {
	return slices.ContainsFunc(c.Timeline, func(e refund.Entry) bool { return e.To.Visible() })
}

// betweenRounds returns a case as its customer knows it. A replacement that
// was flagged as well is for them still being inspected until a lead and all
// photos are there; the case they have followed does not vanish meanwhile.
func betweenRounds(c refund.Case, findings []qc.Finding) refund.Case {
	if c.Status != refund.Flagged || c.Round < 2 {
		return c
	}
	earlier := slices.IndexFunc(findings, func(f qc.Finding) bool { return f.Verdict == qc.Flag && f.Round < c.Round })
	if earlier < 0 {
		return c
	}
	c.Finding, c.Status = findings[earlier].ID, refund.Rechecking
	for n := len(c.Timeline); n > 0; n-- {
		if c.Timeline[n-1].To == refund.Rechecking {
			c.Timeline = c.Timeline[:n]
			break
		}
	}
	return c
}

// ofCase returns the findings that belong to a case the customer sees: the one
// it stands on, the last flag of each round before, and of an exchange that
// has ended, the replacement's pass.
func ofCase(c refund.Case, findings []qc.Finding) []qc.Finding {
	at := slices.IndexFunc(findings, func(f qc.Finding) bool { return f.ID == c.Finding })
	if at < 0 {
		return nil
	}
	shown := []qc.Finding{findings[at]}
	for _, f := range findings {
		if f.Verdict == qc.Flag && f.Round < shown[len(shown)-1].Round {
			shown = append(shown, f)
		}
	}
	if c.Status == refund.Exchanged {
		i := slices.IndexFunc(findings, func(f qc.Finding) bool { return f.Verdict == qc.Pass && f.Round == c.Round })
		if i >= 0 {
			shown = append(shown, findings[i])
		}
	}
	return shown
}

// outward returns a finding without what is nobody's outside: who recorded it
// where, and the flaws that are never shown to seller or customer. Of those
// the place is left, so that all others keep their numbers.
func (s *Store) outward(f qc.Finding) qc.Finding {
	internal := func(id qc.FlawID) bool {
		n := f.Number(id)
		if n == 0 {
			return false
		}
		kind, _ := s.catalogue.Flaw(f.Flaws[n-1].Code)
		return kind.Internal
	}
	out := f
	out.Inspector, out.Station, out.Unsure = "", "", false
	out.Flaws = slices.Clone(f.Flaws)
	for i, flaw := range out.Flaws {
		if internal(flaw.ID) {
			out.Flaws[i] = qc.Flaw{ID: flaw.ID, Code: flaw.Code}
		}
	}
	out.Marks = slices.DeleteFunc(slices.Clone(f.Marks), func(mark qc.Mark) bool { return internal(mark.Flaw) })
	return out
}
