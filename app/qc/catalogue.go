package qc

import (
	"encoding/json"
	"fmt"
	"strings"
)

// FlawCode names a kind of flaw in the catalogue, such as "H11". A code is
// never reused.
type FlawCode string

// Liability says who bears a flaw unless the case shows otherwise.
type Liability string

// The liable parties.
const (
	LiableSeller  Liability = "seller"
	LiableAgent   Liability = "agent"
	LiableCarrier Liability = "carrier"
)

// FlawKind is one entry of the catalogue.
type FlawKind struct {
	Code      FlawCode  `json:"code"`
	Group     string    `json:"group"`
	EN        string    `json:"en"`
	ZH        string    `json:"zh"`
	FloorZH   []string  `json:"zh_floor,omitempty"` // words used on the floor, for search
	Severity  Severity  `json:"severity"`           // for zone B
	ZoneRule  string    `json:"zone_rule"`          // "appearance" or "none"
	SizeRule  bool      `json:"size_rule"`          // small spots and lines are at most minor outside zone A
	Reason    string    `json:"reason"`             // id of the marketplace's refund reason
	Liability Liability `json:"liability"`
	Internal  bool      `json:"internal,omitempty"` // never shown to seller or customer
	NoteEN    string    `json:"note_en,omitempty"`
	NoteZH    string    `json:"note_zh,omitempty"`
}

// Name returns the kind's name in both languages.
func (k FlawKind) Name() Bilingual { return Bilingual{EN: k.EN, ZH: k.ZH} }

// SeverityIn returns the severity this kind has in zone: the front lifts
// appearance flaws a step, a hidden place lowers them. Critical is never
// reached or left this way.
func (k FlawKind) SeverityIn(zone Zone) Severity {
	if k.ZoneRule != "appearance" {
		return k.Severity
	}
	switch {
	case zone == ZoneA && k.Severity == Minor:
		return Major
	case zone == ZoneA && k.Severity == Observation, zone == ZoneC && k.Severity == Major:
		return Minor
	case zone == ZoneC && k.Severity == Minor:
		return Observation
	}
	return k.Severity
}

// FlawGroup is a chapter of the catalogue.
type FlawGroup struct {
	Code string `json:"code"`
	EN   string `json:"en"`
	ZH   string `json:"zh"`
}

// Name returns the group's name in both languages.
func (g FlawGroup) Name() Bilingual { return Bilingual{EN: g.EN, ZH: g.ZH} }

// Reason is a refund reason of the marketplaces, in their own Chinese words.
type Reason struct {
	ID string `json:"id"`
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// Catalogue is the flaw catalogue, read once and never changed.
type Catalogue struct {
	groups     []FlawGroup
	reasons    map[string]Reason
	allReasons []Reason
	kinds      []FlawKind
	byCode     map[FlawCode]FlawKind
}

// ParseCatalogue reads the catalogue's JSON and refuses repeated codes,
// unknown groups and unknown reasons.
func ParseCatalogue(data []byte) (Catalogue, error) {
	var file struct {
		Groups  []FlawGroup `json:"groups"`
		Reasons []Reason    `json:"reasons"`
		Flaws   []FlawKind  `json:"flaws"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return Catalogue{}, fmt.Errorf("read flaw catalogue: %w", err)
	}
	c := Catalogue{
		groups: file.Groups, kinds: file.Flaws, allReasons: file.Reasons,
		reasons: make(map[string]Reason), byCode: make(map[FlawCode]FlawKind),
	}
	groups := make(map[string]bool)
	for _, group := range file.Groups {
		groups[group.Code] = true
	}
	for _, reason := range file.Reasons {
		c.reasons[reason.ID] = reason
	}
	for _, kind := range file.Flaws {
		if _, ok := c.byCode[kind.Code]; ok || kind.Code == "" {
			return Catalogue{}, fmt.Errorf("read flaw catalogue: code %q is empty or given twice", kind.Code)
		}
		if _, ok := c.reasons[kind.Reason]; !ok && kind.Reason != "" || !groups[kind.Group] {
			return Catalogue{}, fmt.Errorf("read flaw catalogue: %s has an unknown group or reason", kind.Code)
		}
		c.byCode[kind.Code] = kind
	}
	return c, nil
}

// Flaw returns the kind with that code.
func (c Catalogue) Flaw(code FlawCode) (FlawKind, bool) {
	kind, ok := c.byCode[code]
	return kind, ok
}

// Groups returns the chapters in the catalogue's order.
func (c Catalogue) Groups() []FlawGroup { return c.groups }

// Kinds returns all entries in the catalogue's order.
func (c Catalogue) Kinds() []FlawKind { return c.kinds }

// Reasons lists the marketplaces' reasons, as their forms do.
func (c Catalogue) Reasons() []Reason { return c.allReasons }

// Reason returns the marketplace reason with that id.
func (c Catalogue) Reason(id string) (Reason, bool) {
	reason, ok := c.reasons[id]
	return reason, ok
}

// Search returns the kinds whose code begins with query or whose name in
// either language, or floor word, contains it, codes first. An empty query
// finds everything.
func (c Catalogue) Search(query string) []FlawKind {
	query = strings.ToLower(strings.TrimSpace(query))
	var byCode, byName []FlawKind
	for _, kind := range c.kinds {
		switch {
		case strings.HasPrefix(strings.ToLower(string(kind.Code)), query):
			byCode = append(byCode, kind)
		case kind.named(query):
			byName = append(byName, kind)
		}
	}
	return append(byCode, byName...)
}

func (k FlawKind) named(query string) bool {
	for _, name := range append([]string{k.EN, k.ZH}, k.FloorZH...) {
		if strings.Contains(strings.ToLower(name), query) {
			return true
		}
	}
	return false
}
