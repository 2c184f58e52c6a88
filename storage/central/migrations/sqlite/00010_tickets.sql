-- +goose Up

-- ticket: what a customer and the desk write to each other. waiting_since: when
-- the oldest message came that nobody at the desk has dealt with; 0: none.
CREATE TABLE ticket (
    id               TEXT PRIMARY KEY,
    order_id         TEXT NOT NULL REFERENCES order_ (id),
    item             TEXT NOT NULL,
    case_id          TEXT NOT NULL,
    customer         TEXT NOT NULL,
    topic            TEXT NOT NULL,
    opened_at        BIGINT NOT NULL,
    changed_at       BIGINT NOT NULL,
    waiting_since    BIGINT NOT NULL,
    seen_by_customer BIGINT NOT NULL,
    seen_by_desk     BIGINT NOT NULL
);
CREATE INDEX ticket_by_order ON ticket (order_id);
CREATE INDEX ticket_by_wait ON ticket (waiting_since, changed_at);

-- ticket_message: never changed. once: the writing's key.
CREATE TABLE ticket_message (
    ticket        TEXT NOT NULL REFERENCES ticket (id),
    n             BIGINT NOT NULL,
    order_id      TEXT NOT NULL REFERENCES order_ (id),
    at            BIGINT NOT NULL,
    party         TEXT NOT NULL,
    actor         TEXT NOT NULL,
    text          TEXT NOT NULL,
    pictures      TEXT NOT NULL,
    picture_count BIGINT NOT NULL,
    picture_bytes BIGINT NOT NULL,
    once          TEXT NOT NULL,
    PRIMARY KEY (ticket, n)
);
CREATE UNIQUE INDEX ticket_message_once ON ticket_message (order_id, once);
CREATE INDEX ticket_message_by_time ON ticket_message (order_id, party, at);

-- +goose StatementBegin
CREATE TRIGGER ticket_message_keep BEFORE UPDATE ON ticket_message
BEGIN SELECT RAISE(ABORT, 'ticket_message is not changed'); END;
-- +goose StatementEnd

-- A notice may be of a ticket that is of no case: case_id refers to none then.
CREATE TABLE notice_new (
    id          TEXT PRIMARY KEY,
    dedupe      TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    medium      TEXT NOT NULL,
    hook        TEXT NOT NULL,
    case_id     TEXT NOT NULL,
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
INSERT INTO notice_new (id, dedupe, kind, medium, hook, case_id, customer, ahead, body, state, held, batch,
    created_at, due_at, lease_until, sent_at, attempts, problem, code)
SELECT id, dedupe, kind, medium, hook, case_id, customer, ahead, body, state, held, batch,
    created_at, due_at, lease_until, sent_at, attempts, problem, code FROM notice;
DROP TABLE notice;
ALTER TABLE notice_new RENAME TO notice;
CREATE INDEX notice_by_due ON notice (state, medium, due_at);
CREATE INDEX notice_by_batch ON notice (batch);
CREATE INDEX notice_by_case ON notice (case_id);
CREATE INDEX notice_by_customer ON notice (customer, medium, created_at);

-- +goose Down
-- There is no way back: facts are never dropped.
SELECT 1;
