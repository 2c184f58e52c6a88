package central

import (
	"context"
	"database/sql"
	"sync"
)

// statements are what writing transactions say to the database, prepared once
// for the life of the store instead of with every call: parsing was a quarter
// of the work of taking a finding. A text is prepared between transactions
// after it was first met in one, because the only connection that writes is
// taken until then.
type statements struct {
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
	met      []string // not yet prepared
}

// mostStatements bounds the memory, should texts ever be made up as needed.
const mostStatements = 256

// find returns the prepared statement of query, or nil; then it will be there
// for a later transaction.
func (s *statements) find(query string) *sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.prepared[query]
	if !ok && len(s.prepared) < mostStatements {
		if s.prepared == nil {
			s.prepared = make(map[string]*sql.Stmt)
		}
		s.prepared[query] = nil
		s.met = append(s.met, query)
	}
	return known
}

// prepare prepares what was met since. A text that cannot be prepared by itself
// is said as it is for ever; whoever says it hears why.
func (s *statements) prepare(ctx context.Context, db *sql.DB) {
	s.mu.Lock()
	met := s.met
	s.met = nil
	s.mu.Unlock()
	for i, query := range met {
		statement, err := db.PrepareContext(ctx, query)
		s.mu.Lock()
		switch {
		case err == nil:
			s.prepared[query] = statement
		case ctx.Err() != nil: // not the text's fault
			s.met = append(s.met, met[i:]...)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
}

// ExecContext is that of the transaction, prepared.
func (t *tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx = t.uninterrupted(ctx)
	if known := t.store.statements.find(query); known != nil {
		return t.StmtContext(ctx, known).ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

// QueryContext is that of the transaction, prepared.
func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx = t.uninterrupted(ctx)
	if known := t.store.statements.find(query); known != nil {
		return t.StmtContext(ctx, known).QueryContext(ctx, args...)
	}
	return t.Tx.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of the transaction, prepared.
func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx = t.uninterrupted(ctx)
	if known := t.store.statements.find(query); known != nil {
		return t.StmtContext(ctx, known).QueryRowContext(ctx, args...)
	}
	return t.Tx.QueryRowContext(ctx, query, args...)
}

// uninterrupted lets a statement that has begun come to its end where the
// database is a part of this program: statements of writing transactions take
// microseconds there, less than it takes to watch that nobody gives up
// meanwhile. Between statements whoever gives up is heard as ever.
func (t *tx) uninterrupted(ctx context.Context) context.Context {
	if !t.store.engine.within || ctx.Err() != nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}
