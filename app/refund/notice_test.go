package refund

import (
	"testing"
	"time"
)

func TestNoticePolicy_QuietHours(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("CST", 8*3600)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, shanghai) }
	night := NoticePolicy{QuietFrom: 22, QuietTo: 7}
	noon := NoticePolicy{QuietFrom: 12, QuietTo: 14}
	for name, tt := range map[string]struct {
		policy   NoticePolicy
		kind     NoticeKind
		at, want time.Time
	}{
		"by day":             {night, TellCredited, at(23, 15, 0), at(23, 15, 0)},
		"before midnight":    {night, TellCredited, at(23, 22, 0), at(24, 7, 0)},
		"after midnight":     {night, TellCredited, at(24, 1, 30), at(24, 7, 0)},
		"in the last minute": {night, TellCredited, at(24, 6, 59), at(24, 7, 0)},
		"in the morning":     {night, TellCredited, at(24, 7, 0), at(24, 7, 0)},
		"what asks":          {night, TellProblem, at(24, 1, 30), at(24, 1, 30)},
		"within a day":       {noon, TellCredited, at(23, 12, 1), at(23, 14, 0)},
		"after it":           {noon, TellCredited, at(23, 14, 0), at(23, 14, 0)},
		"none":               {NoticePolicy{}, TellCredited, at(23, 0, 0), at(23, 0, 0)},
	} {
		if got := tt.policy.Due(tt.kind, tt.at.UTC(), shanghai); !got.Equal(tt.want) {
			t.Errorf("%s: due %s, want %s", name, got.In(shanghai), tt.want)
		}
	}
}

func TestNoticePolicy_RemindersLetSleepWhoHasTime(t *testing.T) {
	t.Parallel()
	lisbon := time.FixedZone("WET", 0)
	tokyo := time.FixedZone("JST", 9*3600)
	asked := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		by   time.Time
		zone *time.Location
		want map[time.Duration]string // in the customer's time
	}{
		"by day":               {asked.Add(72 * time.Hour), lisbon, map[time.Duration]string{24 * time.Hour: "22 12:00", 6 * time.Hour: "23 06:00", time.Hour: "23 11:00"}},
		"a day before, asleep": {asked.Add(63 * time.Hour), lisbon, map[time.Duration]string{24 * time.Hour: "22 07:00", 6 * time.Hour: "22 21:00", time.Hour: "23 02:00"}},
		"six hours, asleep":    {asked.Add(70 * time.Hour), tokyo, map[time.Duration]string{24 * time.Hour: "22 19:00", 6 * time.Hour: "23 13:00", time.Hour: "23 18:00"}},
		"asleep until the end": {asked.Add(66 * time.Hour), lisbon, map[time.Duration]string{24 * time.Hour: "22 07:00", 6 * time.Hour: "23 00:00", time.Hour: "23 05:00"}},
	} {
		got := DefaultNoticePolicy().RemindersOf(tt.by, asked, tt.zone)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %v", name, got)
		}
		for ahead, due := range got {
			if said := due.In(tt.zone).Format("2 15:04"); said != tt.want[ahead] {
				t.Errorf("%s: %s before the end is %s, want %s", name, ahead, said, tt.want[ahead])
			}
		}
	}
}

func TestNoticePolicy_RemindersComeBeforeTheEndAndNotAtOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for open, want := range map[time.Duration]int{
		72 * time.Hour: 3, 25 * time.Hour: 2, 6 * time.Hour: 1, time.Hour: 0, 0: 0,
	} {
		got := DefaultNoticePolicy().RemindersOf(now.Add(open), now, time.UTC)
		if len(got) != want {
			t.Errorf("open for %s: %v, want %d", open, got, want)
		}
		for ahead, due := range got {
			if !due.Equal(now.Add(open-ahead)) || !due.After(now) {
				t.Errorf("open for %s: %s before the end is %s", open, ahead, due)
			}
		}
	}
	if got := DefaultNoticePolicy().RemindersOf(time.Time{}, now, time.UTC); len(got) != 0 {
		t.Errorf("no end, but %v", got)
	}
}

func TestTold(t *testing.T) {
	t.Parallel()
	by := func(p Party, c Case) Case {
		c.Timeline = []Entry{{Actor: Actor{Party: p}}}
		return c
	}
	for name, tt := range map[string]struct {
		before Status
		after  Case
		on     Kind
		want   NoticeKind
	}{
		"opened, waits":           {"", Case{Status: Flagged}, "", ""},
		"opened":                  {"", Case{Status: AwaitingDecision}, "", TellProblem},
		"opened as a correction":  {"", Case{Status: AwaitingDecision, Sort: Correction}, "", TellCorrection},
		"photos are there":        {Flagged, Case{Status: AwaitingDecision}, PhotosArrived, TellProblem},
		"no more photos":          {PhotosRequested, Case{Status: AwaitingDecision}, PhotosDeclined, TellPhotos},
		"the own second thoughts": {Negotiating, Case{Status: AwaitingDecision}, Reconsidered, TellChanged},
		"never shown, withdrawn":  {Flagged, Case{Status: Withdrawn}, Retracted, ""},
		"shown and withdrawn":     {AwaitingDecision, Case{Status: Withdrawn}, LeadDismissed, TellCorrection},
		"kept by the customer":    {AwaitingDecision, by(ByCustomer, Case{Status: Kept}), ChoseKeep, TellChanged},
		"kept by the clock":       {AwaitingDecision, by(BySystem, Case{Status: Kept}), NoAnswer, TellAutoKept},
		"refusal not answered":    {SellerRefused, by(BySystem, Case{Status: Kept}), GaveUp, TellAutoKept},
		"paid in part":            {SellerRefunding, Case{Status: RefundShort}, SellerPaid, TellCredited},
		"a gift":                  {SellerRefused, Case{Status: SellerRefused}, Goodwill, TellCredited},
		"escalated":               {Negotiating, Case{Status: Escalated}, Appealed, TellChanged},
		"lost on the way":         {Returning, Case{Status: ReturnException}, ReturnTroubled, TellReturn},
		"back on its own":         {Returning, Case{Status: PhotosRequested}, ReturnCameBack, TellReturn},
		"back after all":          {ReturnException, Case{Status: PhotosRequested}, ReturnCameBack, TellChanged},
		"no replacement, no item": {Exchanging, Case{Status: SellerRefunding}, NoReplacement, TellRefunding},
		"the replacement is good": {Rechecking, Case{Status: Exchanged}, RecheckPassed, TellExchanged},
	} {
		if got := Told(tt.before, tt.after, tt.on); got != tt.want {
			t.Errorf("%s: told %q, want %q", name, got, tt.want)
		}
	}
}

// A case asks in the kind of notice that its customer is told of it by.
func TestCase_Asks(t *testing.T) {
	t.Parallel()
	for _, status := range Statuses() {
		kind := Case{Status: status}.Asks()
		if asks := status == AwaitingDecision || status == OfferPending || status == SellerRefused; (kind != "") != asks || asks && !kind.Asks() {
			t.Errorf("%s asks by %q", status, kind)
		}
	}
}
