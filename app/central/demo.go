package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"time"

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/storage/central"
	"flawmark/sync/intake"
)

// demoCentre approves every station at once. Only --demo uses it.
type demoCentre struct{ forIntake }

func (d demoCentre) BeginEnrolment(ctx context.Context, name string, key ed25519.PublicKey, at time.Time) (intake.Enrolment, error) {
	enrolment, err := d.forIntake.BeginEnrolment(ctx, name, key, at)
	if err != nil {
		return intake.Enrolment{}, err
	}
	_, err = d.ApproveEnrolment(ctx, enrolment.UserCode, at)
	return enrolment, err
}

// loadSamples fills a demo centre with sample staff and orders, and prints the
// address of each order's page.
func (c *centre) loadSamples(ctx context.Context, out io.Writer) error {
	if err := c.loadStaff(ctx); err != nil {
		return err
	}
	data, err := fs.ReadFile(assets.Samples(), "orders.json")
	if err != nil {
		return err
	}
	parsed, err := central.ParseOrdersJSON(data, c.now())
	if err != nil {
		return err
	}
	if _, err := c.takeOrders(ctx, parsed, assets.Photos()); err != nil {
		return err
	}
	for _, order := range parsed.Orders {
		token, err := c.store.LinkOrder(ctx, order.ID, "", c.now())
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "order %s %s\n", order.ID, c.orderLink(order.ID, token))
	}
	return nil
}

func (c *centre) loadStaff(ctx context.Context) error {
	data, err := fs.ReadFile(assets.Samples(), "staff.json")
	if err != nil {
		return err
	}
	var people []struct {
		ID       qc.StaffID `json:"id"`
		Name     string     `json:"name"`
		Latin    string     `json:"name_latin"`
		Role     qc.Role    `json:"role"`
		Badge    string     `json:"badge"`
		PIN      string     `json:"pin"`
		Password string     `json:"password"`
	}
	if err := json.Unmarshal(data, &people); err != nil {
		return fmt.Errorf("read sample staff: %w", err)
	}
	for _, p := range people {
		person := central.NewStaff{
			ID: p.ID, Name: p.Name, Latin: p.Latin, Role: p.Role, Badge: p.Badge, PIN: p.PIN, Password: p.Password,
		}
		if err := c.store.AddStaff(ctx, person, c.now()); err != nil {
			return fmt.Errorf("add sample staff %s: %w", p.ID, err)
		}
	}
	return nil
}
