-- +goose Up

-- Whose system an order and its customer came from; empty: the command line.
ALTER TABLE order_ ADD COLUMN shop TEXT NOT NULL DEFAULT '';
ALTER TABLE customer ADD COLUMN shop TEXT NOT NULL DEFAULT '';
CREATE INDEX order_by_shop ON order_ (shop, id);
CREATE INDEX refund_case_by_opening ON refund_case (opened_at, id);

-- shop_key: what a shop's own system may do. Only the hash of a key is kept.
CREATE TABLE shop_key (
    id         TEXT PRIMARY KEY,
    shop       TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,
    scopes     TEXT NOT NULL,
    all_orders BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL DEFAULT 0,
    revoked_at BIGINT NOT NULL DEFAULT 0
);

-- shop_event: the steps of cases that those outside are told of, numbered
-- without gaps over all shops (n) and within the order's own (shop_n).
CREATE TABLE shop_event (
    n      BIGINT PRIMARY KEY,
    shop   TEXT NOT NULL,
    shop_n BIGINT NOT NULL,
    body   TEXT NOT NULL,
    at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX shop_event_by_shop ON shop_event (shop, shop_n) WHERE shop <> '';
CREATE INDEX shop_event_by_time ON shop_event (at);
INSERT INTO counter (name, value, head) VALUES ('shop_event', 0, '');

-- shop_request: what a request with an idempotency key was answered. status 0:
-- it is being worked on.
CREATE TABLE shop_request (
    shop        TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status      BIGINT NOT NULL,
    headers     TEXT NOT NULL,
    body        TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (shop, key)
);
CREATE INDEX shop_request_by_time ON shop_request (at);

-- +goose Down
DROP TABLE shop_request;
DROP TABLE shop_event;
DROP TABLE shop_key;
DELETE FROM counter WHERE name = 'shop_event' OR name LIKE 'shop_event:%';
DROP INDEX refund_case_by_opening;
DROP INDEX order_by_shop;
ALTER TABLE customer DROP COLUMN shop;
ALTER TABLE order_ DROP COLUMN shop;
