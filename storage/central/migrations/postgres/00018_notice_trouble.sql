-- +goose Up

-- What could not be told is looked for by the worklist, whenever it is drawn.
CREATE INDEX notice_in_trouble ON notice (case_id) WHERE problem <> '';

-- +goose Down
DROP INDEX notice_in_trouble;
