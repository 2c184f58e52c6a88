-- +goose Up
-- An item of several pieces may have several open cases, each for a slice of
-- the quantity. That they never hold more than there is, is checked by the
-- transaction that opens one.
DROP INDEX one_open_case_an_item;

-- +goose Down
-- There is no way back: facts are never dropped.
SELECT 1;
