-- +goose Up

-- desk_session: who is signed in. Only the hash of the cookie's secret is kept.
CREATE TABLE desk_session (
    secret_hash TEXT PRIMARY KEY,
    staff       TEXT NOT NULL REFERENCES staff (id),
    began_at    BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL
);
CREATE INDEX desk_session_by_staff ON desk_session (staff);

-- push_subscription: which browsers are told of an order. The endpoint is an
-- address at the browser's maker; whoever has it and the keys can write there.
CREATE TABLE push_subscription (
    id         TEXT PRIMARY KEY,
    order_id   TEXT NOT NULL REFERENCES order_ (id),
    endpoint   TEXT NOT NULL,
    p256dh     TEXT NOT NULL,
    auth       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (order_id, endpoint)
);

-- +goose Down
DROP TABLE push_subscription;
DROP TABLE desk_session;
