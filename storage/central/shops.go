package central

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/google/uuid"
)

var (
	// ErrShopKey says that a key opens nothing: it is not known, or revoked. A
	// caller outside is never told which.
	ErrShopKey = errors.New("key is not valid")
	// ErrShopName reports a name that no shop can have.
	ErrShopName = errors.New("name of a shop is empty, too long or not text")
)

// ShopKey is what the system of a shop may do with one key. Shops are told
// apart by their names: two keys of the same name are of one shop, so that a
// key can be changed without losing anything.
type ShopKey struct {
	ID        string    `json:"id"`
	Shop      string    `json:"shop"`
	Scopes    []string  `json:"scopes"`
	AllOrders bool      `json:"all_orders"` // it sees and keeps every order of the centre
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero"` // to the minute
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// actor is what the audit trail calls whoever holds the key.
func (k ShopKey) actor() string { return "key:" + k.ID }

// secretPrefix lets people and scanners see what a lost secret opens.
const secretPrefix = "fmk_"

// longestShop bounds the name of a shop.
const longestShop = 80

// AddShopKey makes a key for a shop. The secret is returned this once and only
// its hash is kept. It fails with [ErrShopName].
func (s *Store) AddShopKey(ctx context.Context, shop string, scopes []string, all bool, at time.Time) (ShopKey, string, error) {
	shop = strings.TrimSpace(shop)
	if shop == "" || utf8.RuneCountInString(shop) > longestShop || !utf8.ValidString(shop) || strings.ContainsFunc(shop, unicode.IsControl) {
		return ShopKey{}, "", ErrShopName
	}
	secret := secretPrefix + base64.RawURLEncoding.EncodeToString(randomBytes(32))
	k := ShopKey{ID: uuid.NewString()[:8], Shop: shop, Scopes: scopes, AllOrders: all, CreatedAt: asStored(at)}
	err := s.write(ctx, at, func(t *tx) error {
		if _, err := t.ExecContext(ctx, `INSERT INTO shop_key (id, shop, hash, scopes, all_orders, created_at)
			VALUES ($1, $2, $3, $4, $5, $6)`, k.ID, k.Shop, secretHash(secret), strings.Join(scopes, " "), flag(all), micros(at)); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO counter (name, value) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING`,
			shopCounter(shop)); err != nil {
			return err
		}
		return t.audit(ctx, "admin", "shop.add", k.actor(), map[string]any{"shop": shop, "scopes": scopes, "all_orders": all})
	})
	if err != nil {
		return ShopKey{}, "", fmt.Errorf("add key of shop %.80q: %w", shop, err)
	}
	return k, secret, nil
}

func flag(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// ShopKeys lists the keys of shops, the oldest first, revoked ones as well.
func (s *Store) ShopKeys(ctx context.Context) ([]ShopKey, error) {
	var all []ShopKey
	rows, err := s.reader.QueryContext(ctx, `SELECT `+shopKeyColumns+` FROM shop_key ORDER BY created_at, id`)
	err = each(rows, err, func(rows *sql.Rows) error {
		k, err := scanShopKey(rows.Scan)
		all = append(all, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list shops' keys: %w", err)
	}
	return all, nil
}

// RevokeShopKey ends a key at once, and every stream that it has open. It fails
// with [qc.ErrNotFound].
func (s *Store) RevokeShopKey(ctx context.Context, id string, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		result, err := t.ExecContext(ctx, `UPDATE shop_key SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0`, micros(at), id)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errorsOr(err, qc.ErrNotFound)
		}
		t.told = true // wakes whoever listens with it, to hear that it has ended
		return t.audit(ctx, "admin", "shop.revoke", "key:"+id, struct{}{})
	})
	if err != nil {
		return fmt.Errorf("revoke key %.80q: %w", id, err)
	}
	return nil
}

// noteUse is how exactly the use of a key is remembered.
const noteUse = time.Minute

// ShopKey returns the key that secret is, or [ErrShopKey], and remembers that
// it was used. The secret is looked up by its hash, so that the time it takes
// tells nothing.
func (s *Store) ShopKey(ctx context.Context, secret string, at time.Time) (ShopKey, error) {
	k, err := scanShopKey(s.reader.QueryRowContext(ctx, `SELECT `+shopKeyColumns+` FROM shop_key WHERE hash = $1`, secretHash(secret)).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && !k.RevokedAt.IsZero():
		return ShopKey{}, ErrShopKey
	case err != nil:
		return ShopKey{}, fmt.Errorf("read shop's key: %w", err)
	case at.Sub(k.UsedAt) < noteUse:
		return k, nil
	}
	k.UsedAt = asStored(at)
	err = s.write(ctx, at, func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE shop_key SET used_at = $1 WHERE id = $2 AND used_at < $1`, micros(at), k.ID)
		return err
	})
	if err != nil {
		return ShopKey{}, fmt.Errorf("note use of key %s: %w", k.ID, err)
	}
	return k, nil
}

const shopKeyColumns = `id, shop, scopes, all_orders, created_at, used_at, revoked_at`

func scanShopKey(scan func(...any) error) (ShopKey, error) {
	var k ShopKey
	var scopes string
	var all, created, used, revoked int64
	err := scan(&k.ID, &k.Shop, &scopes, &all, &created, &used, &revoked)
	k.Scopes, k.AllOrders = strings.Fields(scopes), all == 1
	k.CreatedAt, k.UsedAt, k.RevokedAt = timeOf(created), timeOf(used), timeOf(revoked)
	return k, err
}

// mayKeep fails with [ErrShopKey] once the key has been revoked. Whatever writes
// for a shop asks it in its own transaction.
func (t *tx) mayKeep(ctx context.Context, k ShopKey) error {
	var revoked int64
	err := t.QueryRowContext(ctx, `SELECT revoked_at FROM shop_key WHERE id = $1`, k.ID).Scan(&revoked)
	if errors.Is(err, sql.ErrNoRows) || err == nil && revoked != 0 {
		return ErrShopKey
	}
	return err
}

// ownsOrder fails with [qc.ErrNotFound] for an order that is not the shop's, as
// for one that is not there.
func (k ShopKey) ownsOrder(ctx context.Context, q querier, id qc.OrderID) error {
	var shop string
	err := q.QueryRowContext(ctx, `SELECT shop FROM order_ WHERE id = $1`, string(id)).Scan(&shop)
	return k.owns(shop, err)
}

// ownsCustomer is the same for a customer.
func (k ShopKey) ownsCustomer(ctx context.Context, q querier, id qc.CustomerID) error {
	var shop string
	err := q.QueryRowContext(ctx, `SELECT shop FROM customer WHERE id = $1`, string(id)).Scan(&shop)
	return k.owns(shop, err)
}

func (k ShopKey) owns(shop string, err error) error {
	if err != nil {
		return found(err)
	}
	if shop != k.Shop && !k.AllOrders {
		return qc.ErrNotFound
	}
	return nil
}

// ShopOrder returns an order of the shop as its customer sees it, or
// [qc.ErrNotFound]. See [Store.OrderByToken] for what that leaves out.
func (s *Store) ShopOrder(ctx context.Context, k ShopKey, id qc.OrderID) (OrderView, error) {
	var view OrderView
	err := s.read(ctx, func(q querier) error {
		err := k.ownsOrder(ctx, q, id)
		if err == nil {
			view, err = s.orderView(ctx, q, id)
		}
		return err
	})
	if err != nil {
		return OrderView{}, fmt.Errorf("read order %.80q for shop: %w", id, err)
	}
	return view, nil
}

// ShopCase returns a case of the shop within its order, both as the customer
// sees them, or [qc.ErrNotFound].
func (s *Store) ShopCase(ctx context.Context, k ShopKey, id qc.CaseID) (refund.Case, OrderView, error) {
	var seen refund.Case
	var view OrderView
	err := s.read(ctx, func(q querier) error {
		c, err := readCase(ctx, q, id)
		if err != nil {
			return err
		}
		if err := k.ownsOrder(ctx, q, c.Order); err != nil {
			return err
		}
		if view, err = s.orderView(ctx, q, c.Order); err != nil {
			return err
		}
		seen, err = caseWithin(view.Cases, id)
		return err
	})
	if err != nil {
		return refund.Case{}, OrderView{}, fmt.Errorf("read case %.80q for shop: %w", id, err)
	}
	return seen, view, nil
}

func caseWithin(cases []refund.Case, id qc.CaseID) (refund.Case, error) {
	for _, c := range cases {
		if c.ID == id {
			return c, nil
		}
	}
	return refund.Case{}, qc.ErrNotFound
}

// seenCase returns a case as its customer sees it, or [qc.ErrNotFound].
func seenCase(ctx context.Context, q querier, c refund.Case) (refund.Case, error) {
	all, err := bodies[refund.Case](q.QueryContext(ctx,
		`SELECT body FROM refund_case WHERE item = $1 ORDER BY opened_at, id`, string(c.Item)))
	if err != nil {
		return c, err
	}
	findings, err := findingsOf(ctx, q, c.Item)
	if err != nil {
		return c, err
	}
	seen, _ := asSeen(all, findings)
	return caseWithin(seen, c.ID)
}

// ActForShop is [Store.Act] for the system of the case's shop: e happens as if
// the customer had said it, and the audit trail says which key did. It fails
// with [ErrShopKey], too, and with [qc.ErrNotFound] for whatever the customer
// does not see. A *[Conflict] carries the case as it is to be seen.
func (s *Store) ActForShop(ctx context.Context, k ShopKey, id qc.CaseID, version int, e refund.Event, key string) (refund.Case, error) {
	if e.At.IsZero() {
		e.At = s.now()
	}
	e.At = asStored(e.At)
	var after refund.Case
	err := s.write(ctx, e.At, func(t *tx) error {
		c, seen, err := t.caseOfShop(ctx, k, id)
		if err != nil {
			return err
		}
		e.Actor = byCustomer(c.Customer)
		after, err = t.act(ctx, id, version, e, k.said(key))
		if conflict, ok := errors.AsType[*Conflict](err); ok {
			conflict.Case = seen
		}
		if err != nil || after.Version <= c.Version { // what had happened before
			return err
		}
		return t.audit(ctx, k.actor(), "shop.act", "case:"+string(id), map[string]any{"kind": e.Kind, "version": after.Version})
	})
	if err != nil {
		return refund.Case{}, fmt.Errorf("%s case %.80q for shop: %w", e.Kind, id, err)
	}
	return after, nil
}

// LinkOrderForShop returns a new secret that opens an order of the shop for its
// customer, and until when; see [Store.LinkOrder].
func (s *Store) LinkOrderForShop(ctx context.Context, k ShopKey, id qc.OrderID, at time.Time) (string, time.Time, error) {
	token, err := s.linkOrder(ctx, id, k.actor(), at, k.keeps(id))
	return token, asStored(at.Add(linkLife)), err
}

// RevokeLinksForShop makes every link to an order of the shop useless.
func (s *Store) RevokeLinksForShop(ctx context.Context, k ShopKey, id qc.OrderID, at time.Time) error {
	return s.revokeLinks(ctx, id, k.actor(), at, k.keeps(id))
}

// keeps checks in a transaction that the key holds and the order is its shop's.
func (k ShopKey) keeps(id qc.OrderID) func(context.Context, *tx) error {
	return func(ctx context.Context, t *tx) error {
		if err := t.mayKeep(ctx, k); err != nil {
			return err
		}
		return k.ownsOrder(ctx, t, id)
	}
}

func anybody(context.Context, *tx) error { return nil }
