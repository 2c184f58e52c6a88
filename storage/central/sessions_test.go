package central_test

import (
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

func (open opener) testSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	begin := func(at time.Time) string {
		t.Helper()
		secret, err := w.BeginSession(t.Context(), "clerk3", at)
		w.must(err)
		return secret
	}
	holds := func(secret string, at time.Time, want bool) {
		t.Helper()
		person, err := w.Session(t.Context(), secret, at)
		if !want {
			wantErr(t, err, central.ErrSignIn)
			return
		}
		w.must(err)
		if person.ID != "clerk3" {
			t.Errorf("session of %s", person.ID)
		}
	}
	used, idle := begin(noon), begin(noon)
	holds("", noon, false)
	holds("guess", noon, false)
	for at := noon; at.Before(noon.Add(12 * time.Hour)); at = at.Add(3 * time.Hour) {
		holds(used, at, true)
	}
	holds(used, noon.Add(12*time.Hour), false)
	holds(idle, noon.Add(4*time.Hour-time.Second), true)
	holds(idle, noon.Add(8*time.Hour), false)

	mine, other := begin(noon), begin(noon)
	w.must(w.EndSession(t.Context(), mine, noon))
	w.must(w.EndSession(t.Context(), mine, noon))
	holds(mine, noon, false)
	holds(other, noon, true)
	w.must(w.AddStaff(t.Context(), central.NewStaff{ID: "clerk3", Name: "李娜", Role: qc.Clerk, Password: "a new one"}, noon))
	holds(other, noon, false)
	other = begin(noon)
	w.must(w.DismissStaff(t.Context(), "clerk3", noon))
	holds(other, noon, false)
	_, err := w.BeginSession(t.Context(), "clerk3", noon)
	wantErr(t, err, central.ErrSignIn)
	_, err = w.BeginSession(t.Context(), "nobody", noon)
	wantErr(t, err, qc.ErrNotFound)
	w.must(w.AddStaff(t.Context(), central.NewStaff{ID: "clerk3", Name: "李娜", Role: qc.Clerk}, noon))
	holds(other, noon, false) // coming back does not bring the old session back
}

// Whoever writes to the store for a person: what that person has no role for
// does not happen.
func (open opener) testRolesAreHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	w.must(w.AddStaff(t.Context(), central.NewStaff{ID: "both5", Name: "郑浩", Role: qc.Clerk, More: []qc.Role{qc.Approver}}, noon))
	w.must(w.AddStaff(t.Context(), central.NewStaff{ID: "audit1", Name: "吴静", Role: qc.Auditor}, noon))
	w.must(w.AddStaff(t.Context(), central.NewStaff{ID: "gone1", Name: "周", Role: qc.Clerk, More: []qc.Role{qc.Approver}}, noon))
	w.must(w.DismissStaff(t.Context(), "gone1", noon))
	wantErr(t, w.AddStaff(t.Context(), central.NewStaff{ID: "x", Name: "x", Role: qc.Clerk, More: []qc.Role{"king"}}, noon), central.ErrStaff)
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.flag("f1", "20481-1"))
	w.store(w.bench.flag("f1", "20481-1").Photos[0].Preview.Digest)
	cases, err := w.Cases(t.Context(), central.CaseFilter{})
	w.must(err)
	id := cases[0].ID
	w.act(id, refund.Event{Kind: refund.ChoseRefund, Actor: clerk})
	by := func(party refund.Party, who string) refund.Actor { return refund.Actor{Party: party, ID: who} }
	gift := func(actor refund.Actor, fen int64, approver qc.StaffID) error {
		_, err := w.Act(t.Context(), id, 0, refund.Event{
			Kind: refund.Goodwill, Actor: actor, Reason: "sorry", Amount: money.Fen(fen), Approver: approver, At: noon,
		}, "")
		return err
	}
	for name, tt := range map[string]struct {
		actor    refund.Actor
		approver qc.StaffID
		want     error
	}{
		"an auditor acts":          {by(refund.ByClerk, "audit1"), "boss1", refund.ErrNotYours},
		"an approver acts":         {by(refund.ByClerk, "boss1"), "both5", refund.ErrNotYours},
		"an inspector acts":        {by(refund.ByClerk, "u12"), "boss1", refund.ErrNotYours},
		"a lead acts as a clerk":   {by(refund.ByClerk, "lead7"), "boss1", refund.ErrNotYours},
		"a clerk acts as a lead":   {by(refund.ByLead, "clerk3"), "boss1", refund.ErrNotYours},
		"somebody unknown acts":    {by(refund.ByClerk, "nobody"), "boss1", refund.ErrNotYours},
		"nobody acts":              {by(refund.ByClerk, ""), "boss1", refund.ErrNotYours},
		"somebody dismissed acts":  {by(refund.ByClerk, "gone1"), "boss1", refund.ErrNotYours},
		"a clerk approves":         {clerk, "clerk9", refund.ErrApprover},
		"a lead approves":          {clerk, "lead7", refund.ErrApprover},
		"an auditor approves":      {clerk, "audit1", refund.ErrApprover},
		"the dismissed approves":   {clerk, "gone1", refund.ErrApprover},
		"one approves their own":   {by(refund.ByClerk, "both5"), "both5", refund.ErrSamePerson},
		"nobody approves so much":  {clerk, "", refund.ErrApproval},
		"an approver approves":     {clerk, "boss1", nil},
		"a clerk who may approves": {clerk, "both5", nil},
		"who may approve as well":  {by(refund.ByClerk, "both5"), "boss1", nil},
	} {
		if err := gift(tt.actor, 100_01, tt.approver); tt.want == nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else {
			t.Log(name)
			wantErr(t, err, tt.want)
		}
	}
}
