-- +goose Up

-- meta: facts about this centre (its instance name, the feed's epoch, secrets).
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- counter: numbers taken inside the transaction that uses them, so that they
-- become visible in commit order. head is the last hash of a chain, if any.
CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL,
    head  TEXT NOT NULL DEFAULT ''
);
INSERT INTO counter (name, value, head) VALUES
    ('feed', 0, ''), ('finding', 0, ''), ('transfer', 0, ''),
    ('audit', 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE station (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    pubkey     TEXT NOT NULL UNIQUE,
    epoch      TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0
);

-- station_log: how far each epoch of a station's log is known.
CREATE TABLE station_log (
    station   TEXT NOT NULL REFERENCES station (id),
    epoch     TEXT NOT NULL,
    acked_seq BIGINT NOT NULL,
    head      TEXT NOT NULL,
    PRIMARY KEY (station, epoch)
);

CREATE TABLE enrolment (
    device_hash TEXT PRIMARY KEY,
    user_code   TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    pubkey      TEXT NOT NULL,
    expires_at  BIGINT NOT NULL,
    station     TEXT NOT NULL DEFAULT ''
);

CREATE TABLE staff (
    id           TEXT PRIMARY KEY,
    body         TEXT NOT NULL,
    password     TEXT NOT NULL DEFAULT '',
    failures     BIGINT NOT NULL DEFAULT 0,
    locked_until BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE customer (
    id   TEXT PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE order_ (
    id          TEXT PRIMARY KEY,
    customer    TEXT NOT NULL REFERENCES customer (id),
    placed_at   BIGINT NOT NULL,
    imported_at BIGINT NOT NULL
);

CREATE TABLE item (
    id       TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES order_ (id),
    place    BIGINT NOT NULL,
    body     TEXT NOT NULL
);
CREATE INDEX item_by_order ON item (order_id, place);

-- station_event: what stations said, in their own bytes, for ever.
CREATE TABLE station_event (
    station     TEXT NOT NULL REFERENCES station (id),
    epoch       TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL,
    hash        TEXT NOT NULL,
    status      TEXT NOT NULL,
    problem     TEXT NOT NULL,
    detail      TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (station, epoch, seq)
);
CREATE INDEX station_event_by_id ON station_event (id);

CREATE TABLE finding (
    id          TEXT NOT NULL,
    revision    BIGINT NOT NULL,
    n           BIGINT NOT NULL UNIQUE,
    item        TEXT NOT NULL REFERENCES item (id),
    station     TEXT NOT NULL,
    verdict     TEXT NOT NULL,
    body        TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (id, revision)
);
CREATE INDEX finding_by_item ON finding (item, n);

CREATE TABLE finding_preview (
    digest   TEXT NOT NULL,
    finding  TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (finding, revision, digest)
);
CREATE INDEX finding_preview_by_digest ON finding_preview (digest);

CREATE TABLE review (
    finding  TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (finding, revision)
);

CREATE TABLE refund_case (
    id             TEXT PRIMARY KEY,
    order_id       TEXT NOT NULL REFERENCES order_ (id),
    item           TEXT NOT NULL REFERENCES item (id),
    customer       TEXT NOT NULL REFERENCES customer (id),
    finding        TEXT NOT NULL,
    status         TEXT NOT NULL,
    is_open        BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    opened_at      BIGINT NOT NULL,
    changed_at     BIGINT NOT NULL,
    window_ends_at BIGINT NOT NULL,
    decide_by      BIGINT NOT NULL,
    search         TEXT NOT NULL,
    body           TEXT NOT NULL
);
CREATE UNIQUE INDEX one_open_case_an_item ON refund_case (item) WHERE is_open = 1;
CREATE INDEX refund_case_by_item ON refund_case (item);
CREATE INDEX refund_case_by_order ON refund_case (order_id);
CREATE INDEX refund_case_by_finding ON refund_case (finding);
CREATE INDEX refund_case_by_urgency ON refund_case (is_open, window_ends_at);

CREATE TABLE blob (
    digest     TEXT PRIMARY KEY,
    size       BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    stored_at  BIGINT NOT NULL
);

CREATE TABLE upload (
    id         TEXT PRIMARY KEY,
    station    TEXT NOT NULL,
    digest     TEXT NOT NULL,
    length     BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (station, digest)
);

-- transfer: the double-entry ledger, append-only. Amounts in minor units.
CREATE TABLE transfer (
    id       TEXT PRIMARY KEY,
    n        BIGINT NOT NULL UNIQUE,
    debit    TEXT NOT NULL,
    credit   TEXT NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    kind     TEXT NOT NULL,
    case_id  TEXT NOT NULL REFERENCES refund_case (id),
    ref      TEXT NOT NULL,
    at       BIGINT NOT NULL,
    CHECK (debit <> credit)
);
CREATE INDEX transfer_by_credit ON transfer (credit, n);
CREATE INDEX transfer_by_debit ON transfer (debit, n);
CREATE INDEX transfer_by_case ON transfer (case_id, n);
CREATE INDEX transfer_by_ref ON transfer (ref);

CREATE TABLE balance (
    account TEXT PRIMARY KEY,
    posted  BIGINT NOT NULL
);

CREATE TABLE change (
    seq     BIGINT PRIMARY KEY,
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,
    at      BIGINT NOT NULL
);

CREATE TABLE capability (
    token_hash TEXT PRIMARY KEY,
    order_id   TEXT NOT NULL REFERENCES order_ (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX capability_by_order ON capability (order_id);

CREATE TABLE idempotency (
    actor       TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    body        TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (actor, key)
);

CREATE TABLE audit (
    seq    BIGINT PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    body   TEXT NOT NULL,
    hash   TEXT NOT NULL
);

-- +goose StatementBegin
CREATE TRIGGER station_event_keep BEFORE UPDATE ON station_event
BEGIN SELECT RAISE(ABORT, 'station_event is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER station_event_stay BEFORE DELETE ON station_event
BEGIN SELECT RAISE(ABORT, 'station_event is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transfer_keep BEFORE UPDATE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfer is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transfer_stay BEFORE DELETE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfer is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_keep BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_stay BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
-- +goose StatementEnd

-- +goose Down
-- There is no way back: facts are never dropped.
SELECT 1;
