-- +goose Up

-- placed: the order's number at the marketplace, by which payments of sellers
-- find their case. Rows get it when they are made again, which the new form sees
-- to. The status finds those that wait for money.
ALTER TABLE desk_case ADD COLUMN placed TEXT NOT NULL DEFAULT '';
CREATE INDEX desk_case_by_placed ON desk_case (placed);
CREATE INDEX desk_case_by_status ON desk_case (status);

-- +goose Down
DROP INDEX desk_case_by_status;
DROP INDEX desk_case_by_placed;
ALTER TABLE desk_case DROP COLUMN placed;
