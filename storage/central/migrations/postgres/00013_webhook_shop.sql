-- +goose Up

-- What a webhook is told: all_orders: every order's cases; else those of the
-- orders of its shop, where an empty one means the centre's own. Those that were
-- there before were told everything, and still are. made_by: the key that made
-- it; empty: the administrator.
ALTER TABLE webhook ADD COLUMN shop TEXT NOT NULL DEFAULT '';
ALTER TABLE webhook ADD COLUMN all_orders BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhook ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
UPDATE webhook SET all_orders = 1;
CREATE INDEX notice_by_hook ON notice (hook, created_at) WHERE medium = 'hook';

-- +goose Down
DROP INDEX notice_by_hook;
ALTER TABLE webhook DROP COLUMN made_by;
ALTER TABLE webhook DROP COLUMN all_orders;
ALTER TABLE webhook DROP COLUMN shop;
