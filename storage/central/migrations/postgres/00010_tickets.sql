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
CREATE TRIGGER ticket_message_keep BEFORE UPDATE ON ticket_message EXECUTE FUNCTION refuse_change();

-- A notice may be of a ticket that is of no case: case_id refers to none then.
ALTER TABLE notice DROP CONSTRAINT notice_case_id_fkey;

-- +goose Down
-- There is no way back: facts are never dropped.
SELECT 1;
