package central

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"flawmark/app/qc"
)

// What keeps a database from being served, or from being copied into.
var (
	// ErrMoved: everything was copied to another database, which is the centre
	// from then on.
	ErrMoved = errors.New("database was moved elsewhere")
	// ErrUnfinished: a copy into this database did not come to its end.
	ErrUnfinished = errors.New("copy into this database is not finished")
	// ErrNotEmpty: the database to copy into holds something else.
	ErrNotEmpty = errors.New("database is not empty")
	// ErrDiffers: what was read back is not what was copied.
	ErrDiffers = errors.New("copy differs from its source")
)

// The facts that mark such a database.
const (
	factMoved      = "moved"
	factUnfinished = "unfinished_copy"
)

// Copied is what a copy has come to.
type Copied struct {
	Tables int
	Rows   int64
	Report Report // of the copy, see [Store.Verify]
}

// CopyTo copies everything, as of one moment, into the empty database that c
// names, of whichever kind, and reads it back: every row is compared. Numbers,
// hashes and secrets stay what they are, so that the copy is the same centre.
//
// Until the copy is whole and compared, it is marked, and [Open] refuses it with
// [ErrUnfinished]; this database is only read. A copy that was interrupted is
// begun anew, and one that is there already and agrees in every row is as good
// as made. Anything else in c is [ErrNotEmpty], and stays untouched.
func (s *Store) CopyTo(ctx context.Context, c Config) (Copied, error) {
	done, err := s.copyTo(ctx, c)
	if err != nil {
		return Copied{}, fmt.Errorf("copy centre: %w", err)
	}
	return done, nil
}

func (s *Store) copyTo(ctx context.Context, c Config) (done Copied, err error) {
	to, err := dial(ctx, c, c.URL == "") // a server's database may belong to the folder that is held already
	if err != nil {
		return Copied{}, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	filled, err := to.prepareForCopy(ctx)
	if err != nil {
		return Copied{}, err
	}
	var source map[string]imprint
	err = s.read(ctx, func(from querier) error {
		tables, err := s.engine.tables(ctx, from)
		if err != nil {
			return err
		}
		if filled {
			source, err = imprints(ctx, s.engine, from, tables)
			return err
		}
		return to.write(ctx, s.now(), func(t *tx) error {
			source, err = t.fill(ctx, s.engine, from, tables)
			return err
		})
	})
	if err != nil {
		return Copied{}, to.engine.named(err)
	}
	if err := to.compare(ctx, source); err != nil {
		if filled {
			err = fmt.Errorf("%w: %w", ErrNotEmpty, err)
		}
		return Copied{}, err
	}
	if done.Report, err = to.Verify(ctx); err != nil {
		return Copied{}, err
	}
	for _, table := range source {
		done.Tables++
		done.Rows += table.rows
	}
	return done, to.setFact(ctx, factUnfinished, "")
}

// MarkMoved notes that the centre lives in another database now, so that this
// one is never served by mistake; [Open] fails with [ErrMoved].
func (s *Store) MarkMoved(ctx context.Context) error {
	return s.setFact(ctx, factMoved, s.now().UTC().Format("2006-01-02 15:04"))
}

// setFact keeps value under name; empty forgets it.
func (s *Store) setFact(ctx context.Context, name, value string) error {
	err := s.write(ctx, s.now(), func(t *tx) error {
		if _, err := t.ExecContext(ctx, `DELETE FROM meta WHERE name = $1`, name); err != nil || value == "" {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2)`, name, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("note %s: %w", name, err)
	}
	return nil
}

// checkMarks fails where the database is no centre's.
func (s *Store) checkMarks(ctx context.Context) error {
	for name, refusal := range map[string]error{factMoved: ErrMoved, factUnfinished: ErrUnfinished} {
		var value string
		err := s.reader.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, name).Scan(&value)
		if err == nil {
			return refusal
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}

// prepareForCopy makes the schema and the mark, and reports whether a centre is
// there already. It fails with [ErrNotEmpty] before it has touched anything.
func (s *Store) prepareForCopy(ctx context.Context) (filled bool, err error) {
	tables, err := s.engine.tables(ctx, s.reader)
	if err != nil {
		return false, err
	}
	if len(tables) > 0 {
		if !slices.ContainsFunc(tables, func(t table) bool { return t.name == "meta" }) {
			return false, ErrNotEmpty // somebody else's
		}
		var instance string
		err := s.reader.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'instance'`).Scan(&instance)
		if err == nil {
			return true, s.engine.migrate(ctx, s.writer)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return false, fmt.Errorf("%w: %w", ErrNotEmpty, err)
		}
	}
	if err := s.engine.migrate(ctx, s.writer); err != nil {
		return false, err
	}
	return false, s.setFact(ctx, factUnfinished, s.now().UTC().Format("2006-01-02 15:04"))
}

// table is one of a database, with those that its rows name.
type table struct {
	name  string
	names []string
}

// inOrder sorts tables so that none names one that comes later.
func inOrder(tables []table) ([]table, error) {
	var sorted []table
	done := make(map[string]bool)
	for len(sorted) < len(tables) {
		before := len(sorted)
		for _, t := range tables {
			ready := !slices.ContainsFunc(t.names, func(other string) bool { return other != t.name && !done[other] })
			if ready && !done[t.name] {
				done[t.name] = true
				sorted = append(sorted, t)
			}
		}
		if len(sorted) == before {
			return nil, errors.New("tables name each other in a circle")
		}
	}
	return sorted, nil
}

// tablesOf reads rows of a table's name and one that it names, which may be
// empty.
func tablesOf(rows *sql.Rows, err error) ([]table, error) {
	known := make(map[string]table)
	err = each(rows, err, func(rows *sql.Rows) error {
		var name, named string
		if err := rows.Scan(&name, &named); err != nil {
			return err
		}
		t := known[name]
		t.name = name
		if named != "" {
			t.names = append(t.names, named)
		}
		known[name] = t
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return inOrder(slices.SortedFunc(maps.Values(known), func(a, b table) int { return cmp.Compare(a.name, b.name) }))
}

// imprint is what two tables have in common when their rows are the same,
// in whatever order.
type imprint struct {
	columns []string
	rows    int64
	sum     [sha256.Size]byte // of the rows' hashes, exclusive or: keys make rows differ
}

func (f *imprint) add(row []any) error {
	hash := sha256.New()
	for _, value := range row {
		var text []byte
		switch value := value.(type) {
		case nil:
			text = []byte("n")
		case int64:
			text = fmt.Appendf(nil, "i%d", value)
		case string:
			text = append([]byte("t"), value...)
		case []byte:
			text = append([]byte("b"), value...)
		default:
			return fmt.Errorf("a column holds a %T, which databases write differently", value)
		}
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text)))) // never fails
		hash.Write(text)
	}
	for i, b := range hash.Sum(nil) {
		f.sum[i] ^= b
	}
	f.rows++
	return nil
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quotedAll(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = quoted(name)
	}
	return strings.Join(all, ", ")
}

// scan reads all rows of a table, in the order in which they came into it, and
// hands each to take. Without columns it reads all.
func (e engine) scan(ctx context.Context, q querier, name string, columns []string, take func([]any) error) (imprint, error) {
	what := "*"
	if len(columns) > 0 {
		what = quotedAll(columns)
	}
	rows, err := q.QueryContext(ctx, `SELECT `+what+` FROM `+quoted(name)+` ORDER BY `+e.arrival)
	if err != nil {
		return imprint{}, err
	}
	defer rows.Close()
	one := imprint{}
	if one.columns, err = rows.Columns(); err != nil {
		return one, err
	}
	for rows.Next() {
		row, into := make([]any, len(one.columns)), make([]any, len(one.columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return one, err
		}
		if name == "meta" && row[0] == factUnfinished {
			continue // says something of the copy, not of the centre
		}
		if err := one.add(row); err != nil {
			return one, err
		}
		if take != nil {
			if err := take(row); err != nil {
				return one, err
			}
		}
	}
	return one, rows.Err()
}

func imprints(ctx context.Context, e engine, q querier, tables []table) (map[string]imprint, error) {
	all := make(map[string]imprint)
	for _, t := range tables {
		var err error
		if all[t.name], err = e.scan(ctx, q, t.name, nil, nil); err != nil {
			return nil, fmt.Errorf("read table %s: %w", t.name, err)
		}
	}
	return all, nil
}

// fill copies every table from a source.
func (t *tx) fill(ctx context.Context, e engine, from querier, tables []table) (map[string]imprint, error) {
	var instance string
	err := t.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'instance'`).Scan(&instance)
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, errors.Join(ErrNotEmpty, err) // somebody else was faster
	}
	all := make(map[string]imprint)
	for _, table := range tables {
		clear := `DELETE FROM ` + quoted(table.name) // what the schema begins with
		if table.name == "meta" {
			clear += ` WHERE name <> '` + factUnfinished + `'`
		}
		var rows int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+quoted(table.name)).Scan(&rows); err != nil {
			return nil, fmt.Errorf("%w: table %s: %w", ErrNewer, table.name, err)
		}
		if rows > 0 { // what never changes refuses even to be cleared of nothing
			if _, err := t.Tx.ExecContext(ctx, clear); err != nil {
				return nil, fmt.Errorf("clear table %s: %w", table.name, err)
			}
		}
		filling := &inserter{tx: t.Tx, table: table.name}
		one, err := e.scan(ctx, from, table.name, nil, func(row []any) error { return filling.add(ctx, row) })
		if err == nil {
			filling.columns = one.columns
			err = filling.flush(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("copy table %s: %w", table.name, err)
		}
		all[table.name] = one
	}
	return all, nil
}

// compare reads every table and fails with [ErrDiffers] where one is not what it
// should be.
func (s *Store) compare(ctx context.Context, want map[string]imprint) error {
	return s.read(ctx, func(q querier) error {
		tables, err := s.engine.tables(ctx, q)
		if err != nil {
			return err
		}
		if len(tables) != len(want) {
			return fmt.Errorf("%w: %d tables, not %d", ErrDiffers, len(tables), len(want))
		}
		for name, one := range want {
			got, err := s.engine.scan(ctx, q, name, one.columns, nil)
			if err != nil {
				return fmt.Errorf("read table %s back: %w", name, err)
			}
			if got.rows != one.rows || got.sum != one.sum {
				return fmt.Errorf("%w: table %s has %d rows, its source %d", ErrDiffers, name, got.rows, one.rows)
			}
		}
		return nil
	})
}

// inserter writes rows, many with one statement: a server is not next door.
type inserter struct {
	tx      *sql.Tx
	table   string
	columns []string
	args    []any
	rows    int
}

// Both databases take more values in a statement; more rows bring nothing.
const (
	mostInserted = 200
	mostValues   = 10_000
)

func (i *inserter) add(ctx context.Context, row []any) error {
	i.args = append(i.args, row...)
	if i.rows++; i.rows < mostInserted && len(i.args)+len(row) <= mostValues {
		return nil
	}
	return i.flush(ctx)
}

func (i *inserter) flush(ctx context.Context) error {
	if i.rows == 0 {
		return nil
	}
	width := len(i.args) / i.rows
	var text strings.Builder
	fmt.Fprintf(&text, `INSERT INTO %s`, quoted(i.table))
	if len(i.columns) > 0 {
		fmt.Fprintf(&text, ` (%s)`, quotedAll(i.columns))
	}
	text.WriteString(` VALUES `)
	for n := range i.args {
		switch {
		case n == 0:
			text.WriteString("(")
		case n%width == 0:
			text.WriteString("), (")
		default:
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "$%d", n+1)
	}
	text.WriteString(")")
	_, err := i.tx.ExecContext(ctx, text.String(), i.args...)
	i.args, i.rows = i.args[:0], 0
	return err
}

// EachBlob calls visit with every file that the centre says it holds, in the
// order of their digests, until visit fails.
func (s *Store) EachBlob(ctx context.Context, visit func(Blob) error) error {
	const page = 1000
	after := ""
	for {
		var list []Blob
		rows, err := s.reader.QueryContext(ctx,
			`SELECT digest, size, media_type, stored_at FROM blob WHERE digest > $1 ORDER BY digest LIMIT $2`, after, page)
		err = each(rows, err, func(rows *sql.Rows) error {
			var b Blob
			var at int64
			err := rows.Scan(&b.Digest, &b.Bytes, &b.MediaType, &at)
			b.StoredAt = timeOf(at)
			list = append(list, b)
			return err
		})
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		for _, b := range list {
			if err := visit(b); err != nil {
				return err
			}
			after = string(b.Digest)
		}
		if len(list) < page {
			return nil
		}
	}
}

// BeginFeed begins a new feed, in which the files in lost have never arrived:
// stations then offer again what they still have, and are asked for those. It
// is for a store that is not served: who follows the feed would not notice.
func (s *Store) BeginFeed(ctx context.Context, lost []qc.Digest) error {
	err := s.write(ctx, s.now(), func(t *tx) error {
		for _, d := range lost {
			if _, err := t.ExecContext(ctx, `DELETE FROM blob WHERE digest = $1`, string(d)); err != nil {
				return err
			}
			told, err := jsonText(qc.StoredPhoto{Digest: d})
			if err != nil {
				return err
			}
			if _, err := t.ExecContext(ctx, `UPDATE change SET kind = 'photo.lost' WHERE kind = $1 AND body = $2`,
				string(qc.PhotoStored), told); err != nil {
				return err
			}
		}
		if len(lost) > 0 {
			if err := t.audit(ctx, "system", "photos.lost", "photos", map[string]int{"files": len(lost)}); err != nil {
				return err
			}
		}
		_, err := t.ExecContext(ctx, `DELETE FROM meta WHERE name = 'feed_epoch'`)
		return err
	})
	if err != nil {
		return fmt.Errorf("begin a new feed: %w", err)
	}
	return nil
}
