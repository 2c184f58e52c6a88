package central

import (
	"context"
	"errors"
	"fmt"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ErrTemplateMoved says that somebody else has changed the text meanwhile.
var ErrTemplateMoved = errors.New("text has been changed meanwhile")

// Templates returns the latest version of every text of the desk, retired ones
// too, by id.
func (s *Store) Templates(ctx context.Context) ([]refund.Template, error) {
	list, err := bodies[refund.Template](s.reader.QueryContext(ctx, `SELECT t.body FROM message_template t
		WHERE t.version = (SELECT MAX(n.version) FROM message_template n WHERE n.id = t.id) ORDER BY t.id`))
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	return list, nil
}

// TemplateVersions returns every version of a text, the latest first.
func (s *Store) TemplateVersions(ctx context.Context, id string) ([]refund.Template, error) {
	list, err := bodies[refund.Template](s.reader.QueryContext(ctx,
		`SELECT body FROM message_template WHERE id = $1 ORDER BY version DESC`, id))
	if err != nil {
		return nil, fmt.Errorf("list versions of template %.80q: %w", id, err)
	}
	return list, nil
}

// SaveTemplate keeps a new version of a text. It fails with [ErrTemplateMoved]
// where t.Version is not the one after the latest, and with the errors of
// [refund.Template.Check].
func (s *Store) SaveTemplate(ctx context.Context, t refund.Template) error {
	err := t.Check()
	if err == nil {
		err = s.write(ctx, t.At, func(tx *tx) error { return tx.saveTemplate(ctx, t) })
	}
	if err != nil {
		return fmt.Errorf("save template %.80q: %w", t.ID, err)
	}
	return nil
}

func (t *tx) saveTemplate(ctx context.Context, template refund.Template) error {
	var latest int
	err := t.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM message_template WHERE id = $1`, template.ID).Scan(&latest)
	if err != nil {
		return err
	}
	if template.Version != latest+1 {
		return ErrTemplateMoved
	}
	template.At = t.at
	text, err := jsonText(template)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO message_template (id, version, body, by_, at) VALUES ($1, $2, $3, $4, $5)`,
		template.ID, template.Version, text, string(template.By), micros(t.at)); err != nil {
		return err
	}
	actor := "system"
	if template.By != "" {
		actor = "staff:" + string(template.By)
	}
	return t.audit(ctx, actor, "template.save", "template:"+template.ID, template)
}

// firstTemplates keeps the texts that come with the program, unless there is
// one with that id: a desk changes them as it likes.
func (t *tx) firstTemplates(ctx context.Context) error {
	for _, template := range refund.FirstTemplates() {
		if err := t.saveTemplate(ctx, template); err != nil && !errors.Is(err, ErrTemplateMoved) {
			return fmt.Errorf("keep template %s: %w", template.ID, err)
		}
	}
	return nil
}

// KeepLetter records what was written about a case; the same id twice once. It
// fails with [qc.ErrNotFound] for a case that is not there.
func (s *Store) KeepLetter(ctx context.Context, letter refund.Letter) error {
	letter.At = asStored(letter.At)
	err := s.write(ctx, letter.At, func(t *tx) error {
		if _, err := readCase(ctx, t, letter.Case); err != nil {
			return err
		}
		text, err := jsonText(letter)
		if err != nil {
			return err
		}
		result, err := t.ExecContext(ctx, `INSERT INTO case_message (id, case_id, body, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO NOTHING`, letter.ID, string(letter.Case), text, micros(letter.At))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return t.audit(ctx, "staff:"+string(letter.By), "case.letter", "case:"+string(letter.Case), letter)
	})
	if err != nil {
		return fmt.Errorf("keep letter about case %.80q: %w", letter.Case, err)
	}
	return nil
}

// letters returns what the desk wrote about a case, oldest first.
func letters(ctx context.Context, q querier, id qc.CaseID) ([]refund.Letter, error) {
	list, err := bodies[refund.Letter](q.QueryContext(ctx,
		`SELECT body FROM case_message WHERE case_id = $1 ORDER BY at, id`, string(id)))
	if err != nil {
		return nil, fmt.Errorf("read letters about case %s: %w", id, err)
	}
	return list, nil
}
