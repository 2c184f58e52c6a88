package central

import (
	"errors"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// refusal is why an event of a station has no effect.
type refusal struct {
	problem string // key of the sentence to the person
	detail  string // for the log
}

func (r *refusal) Error() string { return r.problem + ": " + r.detail }

// The sentences that refusals are told with, beside those of the domain.
const (
	saysOrderUnknown   = "error.order_unknown"
	saysNotAllowed     = "error.not_allowed"
	saysMovedOn        = "error.case_moved_on"
	saysEventUnknown   = "error.event_unknown"
	saysWaybillInvalid = "error.waybill_invalid"
)

func refuse(problem, detail string) error { return &refusal{problem: problem, detail: detail} }

// refuseFor turns an error of the domain into a refusal in its sentence, and
// leaves every other error alone.
func refuseFor(err error) error {
	known := append(qc.Refusals(), refund.Refusals()...)
	for _, why := range known {
		if errors.Is(err, why) {
			return refuse("error."+why.Error(), err.Error())
		}
	}
	return err
}
