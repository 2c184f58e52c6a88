package central

import (
	"context"
	"errors"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// entitled refuses what a person does who has not the role for it, whoever
// asks on their behalf: a party's name alone could be anybody's. What stations
// record is checked where their events are taken in.
func (t *tx) entitled(ctx context.Context, by refund.Actor, approver qc.StaffID) error {
	var roles []qc.Role
	switch by.Party {
	case refund.ByClerk:
		roles = []qc.Role{qc.Clerk, qc.Administrator}
	case refund.ByLead:
		roles = []qc.Role{qc.Lead}
	}
	if roles != nil {
		if err := t.holds(ctx, qc.StaffID(by.ID), refund.ErrNotYours, roles...); err != nil {
			return err
		}
	}
	if approver == "" {
		return nil
	}
	if string(approver) == by.ID {
		return refund.ErrSamePerson
	}
	return t.holds(ctx, approver, refund.ErrApprover, qc.Approver)
}

// holds fails with otherwise unless the person works here in one of roles.
func (t *tx) holds(ctx context.Context, id qc.StaffID, otherwise error, roles ...qc.Role) error {
	person, err := staff(ctx, t, id)
	if errors.Is(err, qc.ErrNotFound) {
		return otherwise
	}
	if err != nil {
		return err
	}
	if !person.Holds(roles...) {
		return otherwise
	}
	return nil
}
