-- +goose Up

-- A customer's money also moves without a case: case_id may be missing. A table
-- that is dropped fires no triggers, so the ledger's rows are only ever copied.
CREATE TABLE transfer_anew (
    id       TEXT PRIMARY KEY,
    n        BIGINT NOT NULL UNIQUE,
    debit    TEXT NOT NULL,
    credit   TEXT NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    kind     TEXT NOT NULL,
    case_id  TEXT REFERENCES refund_case (id),
    ref      TEXT NOT NULL,
    at       BIGINT NOT NULL,
    CHECK (debit <> credit)
);
INSERT INTO transfer_anew SELECT id, n, debit, credit, amount, currency, kind, case_id, ref, at FROM transfer;
DROP TABLE transfer;
ALTER TABLE transfer_anew RENAME TO transfer;
CREATE INDEX transfer_by_credit ON transfer (credit, n);
CREATE INDEX transfer_by_debit ON transfer (debit, n);
CREATE INDEX transfer_by_case ON transfer (case_id, n);
CREATE INDEX transfer_by_ref ON transfer (ref);
-- +goose StatementBegin
CREATE TRIGGER transfer_keep BEFORE UPDATE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfer is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transfer_stay BEFORE DELETE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfer is append-only'); END;
-- +goose StatementEnd

-- hold: money of a customer that is set aside for something. It leaves
-- 'pending' once. expires_at 0: never.
CREATE TABLE hold (
    id          TEXT PRIMARY KEY,
    holder      TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    customer    TEXT NOT NULL REFERENCES customer (id),
    amount      BIGINT NOT NULL CHECK (amount > 0),
    ref         TEXT NOT NULL,
    state       TEXT NOT NULL,
    spent       BIGINT NOT NULL CHECK (spent >= 0 AND spent <= amount),
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    resolved_at BIGINT NOT NULL
);
CREATE INDEX hold_by_customer ON hold (customer, state, created_at);
CREATE INDEX hold_by_expiry ON hold (state, expires_at);

-- withdrawal: of the balance, by way of the hold with the same id.
CREATE TABLE withdrawal (
    id       TEXT PRIMARY KEY REFERENCES hold (id),
    customer TEXT NOT NULL REFERENCES customer (id),
    state    TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    body     TEXT NOT NULL
);
CREATE INDEX withdrawal_by_state ON withdrawal (state, asked_at);
CREATE INDEX withdrawal_by_customer ON withdrawal (customer, asked_at);

-- memo: credit memos, one for each step of a case that brought money, numbered
-- without gaps. received and credit are the step's transfers, where it has them.
CREATE TABLE memo (
    number   BIGINT PRIMARY KEY,
    case_id  TEXT NOT NULL REFERENCES refund_case (id),
    version  BIGINT NOT NULL,
    order_id TEXT NOT NULL REFERENCES order_ (id),
    received TEXT UNIQUE REFERENCES transfer (id),
    credit   TEXT UNIQUE REFERENCES transfer (id),
    net      BIGINT NOT NULL,
    body     TEXT NOT NULL,
    at       BIGINT NOT NULL,
    UNIQUE (case_id, version)
);
CREATE INDEX memo_by_order ON memo (order_id, number);

INSERT INTO counter (name, value, head) VALUES ('memo', 0, '');
-- What was credited before there were memos has none.
INSERT INTO meta (name, value) SELECT 'memos_after', CAST(value AS TEXT) FROM counter WHERE name = 'transfer';

-- +goose StatementBegin
CREATE TRIGGER memo_keep BEFORE UPDATE ON memo
BEGIN SELECT RAISE(ABORT, 'memo is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER memo_stay BEFORE DELETE ON memo
BEGIN SELECT RAISE(ABORT, 'memo is append-only'); END;
-- +goose StatementEnd

-- +goose Down
-- There is no way back: facts are never dropped.
SELECT 1;
