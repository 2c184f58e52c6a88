-- +goose Up

-- webhook: where shops' programs listen. The secret signs, so it is kept whole.
CREATE TABLE webhook (
    id          TEXT PRIMARY KEY,
    url         TEXT NOT NULL,
    secret      TEXT NOT NULL,
    local       BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    disabled_at BIGINT NOT NULL DEFAULT 0
);

-- notice: what customers and shops are to be told, written with the change
-- itself. batch: those that are sent as one; held: waits for others to join.
CREATE TABLE notice (
    id          TEXT PRIMARY KEY,
    dedupe      TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    medium      TEXT NOT NULL,
    hook        TEXT NOT NULL,
    case_id     TEXT NOT NULL REFERENCES refund_case (id),
    customer    TEXT NOT NULL,
    ahead       BIGINT NOT NULL,
    body        TEXT NOT NULL,
    state       TEXT NOT NULL,
    held        BIGINT NOT NULL,
    batch       TEXT NOT NULL DEFAULT '',
    created_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    lease_until BIGINT NOT NULL DEFAULT 0,
    sent_at     BIGINT NOT NULL DEFAULT 0,
    attempts    BIGINT NOT NULL DEFAULT 0,
    problem     TEXT NOT NULL DEFAULT '',
    code        TEXT NOT NULL DEFAULT ''
);
CREATE INDEX notice_by_due ON notice (state, medium, due_at);
CREATE INDEX notice_by_batch ON notice (batch);
CREATE INDEX notice_by_case ON notice (case_id);
CREATE INDEX notice_by_customer ON notice (customer, medium, created_at);

-- +goose Down
DROP TABLE notice;
DROP TABLE webhook;
