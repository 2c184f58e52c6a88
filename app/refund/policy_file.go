package refund

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// ErrPolicy reports rules that cannot be kept to.
var ErrPolicy = errors.New("rules of cases are not sound")

// span is a time in words, such as "72h".
type span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err == nil && d <= 0 {
		err = errors.New("not a time that passes")
	}
	*s = span(d)
	return err
}

// policyFile is a version of the rules as it is written down.
type policyFile struct {
	Version   int       `json:"version"`
	ValidFrom time.Time `json:"valid_from"`
	Times     struct {
		DecideWithin   span `json:"decide_within"`
		FileBefore     span `json:"file_before"`
		DecideAtLeast  span `json:"decide_at_least"`
		PhotosWithin   span `json:"photos_within"`
		SellerWithin   span `json:"seller_within"`
		RefusedWithin  span `json:"refused_within"`
		OfferWithin    span `json:"offer_within"`
		DispatchWithin span `json:"dispatch_within"`
		DispatchLapses span `json:"dispatch_lapses"`
		SilentAfter    span `json:"silent_after"`
		PayWithin      span `json:"pay_within"`
		ReplaceWithin  span `json:"replace_within"`
	} `json:"times"`
	Rounds struct {
		MaxOffers       int `json:"max_offers"`
		FreePhotoRounds int `json:"free_photo_rounds"`
	} `json:"rounds"`
	Sums struct {
		Service       string `json:"service"`
		FreightBack   string `json:"freight_back"`
		ApprovalAbove string `json:"approval_above"`
	} `json:"sums"`
	Fees        map[Liability][]FeeKind `json:"fees"`
	Liabilities []LiabilityRow          `json:"liabilities"`
	Strongest   []Liability             `json:"strongest"`
}

// ReadPolicies reads 1.json, 2.json and so on: every version there is, without
// a gap, each valid later than the one before. It fails with [ErrPolicy].
func ReadPolicies(files fs.FS) (Policies, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list rules of cases: %w", err)
	}
	var all Policies
	for n := range names {
		name := strconv.Itoa(n+1) + ".json"
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read rules of cases: %w", errors.Join(ErrPolicy, err))
		}
		p, err := parsePolicy(data)
		if err != nil {
			return nil, fmt.Errorf("read rules of cases, %s: %w", name, errors.Join(ErrPolicy, err))
		}
		if p.Version != n+1 || n > 0 && !p.ValidFrom.After(all[n-1].ValidFrom) {
			return nil, fmt.Errorf("%w: %s is version %d, valid from %s", ErrPolicy, name, p.Version, p.ValidFrom)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: there are none", ErrPolicy)
	}
	return all, nil
}

func parsePolicy(data []byte) (Policy, error) {
	var f policyFile
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return Policy{}, err
	}
	t := f.Times
	p := Policy{
		Version: f.Version, ValidFrom: f.ValidFrom,
		DecideWithin: time.Duration(t.DecideWithin), FileBefore: time.Duration(t.FileBefore),
		DecideAtLeast: time.Duration(t.DecideAtLeast), PhotosWithin: time.Duration(t.PhotosWithin),
		SellerWithin: time.Duration(t.SellerWithin), RefusedWithin: time.Duration(t.RefusedWithin),
		OfferWithin: time.Duration(t.OfferWithin), DispatchWithin: time.Duration(t.DispatchWithin),
		DispatchLapses: time.Duration(t.DispatchLapses), SilentAfter: time.Duration(t.SilentAfter),
		PayWithin: time.Duration(t.PayWithin), ReplaceWithin: time.Duration(t.ReplaceWithin),
		MaxOffers: f.Rounds.MaxOffers, FreePhotoRounds: f.Rounds.FreePhotoRounds,
		Fees: f.Fees, Liabilities: f.Liabilities, Strongest: f.Strongest,
	}
	for text, into := range map[*string]*money.Amount{
		&f.Sums.Service: &p.ServiceFee, &f.Sums.FreightBack: &p.FreightBack, &f.Sums.ApprovalAbove: &p.ApprovalAbove,
	} {
		amount, err := money.Parse(*text, money.CNY)
		if err != nil || amount.Minor() < 0 {
			return Policy{}, errors.Join(fmt.Errorf("sum %q", *text), err)
		}
		*into = amount
	}
	return p, p.check()
}

// check reports what of the rules could not be kept to.
func (p Policy) check() error {
	for _, within := range []time.Duration{
		p.DecideWithin, p.FileBefore, p.DecideAtLeast, p.PhotosWithin, p.SellerWithin, p.RefusedWithin, p.OfferWithin,
		p.DispatchWithin, p.DispatchLapses, p.SilentAfter, p.PayWithin, p.ReplaceWithin,
	} {
		if within <= 0 {
			return errors.New("a time is missing")
		}
	}
	known := []Liability{BySellerFault, ByMinorFlaw, ByAgentFault, ByCarrierFault, ByCustomerWish}
	switch {
	case p.ValidFrom.IsZero():
		return errors.New("it is not said from when it is valid")
	case p.MaxOffers < 1 || p.FreePhotoRounds < 1:
		return errors.New("rounds are missing")
	case p.DecideAtLeast > p.DecideWithin || p.DispatchWithin > p.DispatchLapses:
		return errors.New("a time is longer than the one it is within")
	case len(p.Strongest) != len(known) || len(p.Liabilities) == 0:
		return errors.New("not every liability has its place")
	}
	for _, l := range known {
		if _, ok := p.Fees[l]; !ok || !slices.Contains(p.Strongest, l) {
			return fmt.Errorf("nothing is said of liability %q", l)
		}
	}
	for l, list := range p.Fees {
		for _, fee := range list {
			if !slices.Contains(known, l) || !slices.Contains([]FeeKind{FreightInFee, FreightBackFee, ServiceFee}, fee) {
				return fmt.Errorf("fee %q of liability %q is unknown", fee, l)
			}
		}
	}
	return p.checkRows(known)
}

// checkRows: what a row names exists, and every flaw has a row.
func (p Policy) checkRows(known []Liability) error {
	zones := []qc.Zone{qc.ZoneA, qc.ZoneB, qc.ZoneC}
	borne := []qc.Liability{qc.LiableSeller, qc.LiableAgent, qc.LiableCarrier}
	for _, r := range p.Liabilities {
		odd := slices.ContainsFunc(r.Severities, func(s qc.Severity) bool { return !slices.Contains(qc.Severities(), s) }) ||
			slices.ContainsFunc(r.Zones, func(z qc.Zone) bool { return !slices.Contains(zones, z) }) ||
			r.Catalogue != "" && !slices.Contains(borne, r.Catalogue) || !slices.Contains(known, r.Then)
		if odd {
			return fmt.Errorf("row %+v names what does not exist", r)
		}
	}
	for _, severity := range qc.Severities() {
		for _, zone := range zones {
			for _, by := range borne {
				flaw, kind := qc.Flaw{Severity: severity, Zone: zone}, qc.FlawKind{Liability: by}
				if !slices.ContainsFunc(p.Liabilities, func(r LiabilityRow) bool { return r.fits(flaw, kind) }) {
					return fmt.Errorf("nobody answers for %s in zone %s that the %s bears", severity, zone, by)
				}
			}
		}
	}
	return nil
}
