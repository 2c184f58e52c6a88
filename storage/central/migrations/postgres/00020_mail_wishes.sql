-- +goose Up

-- mail_wish: whether a customer wants the mails that only tell of progress.
-- Nothing is changed here: the last one counts.
CREATE TABLE mail_wish (
    customer TEXT NOT NULL REFERENCES customer (id),
    n        BIGINT NOT NULL, -- from 1
    progress BIGINT NOT NULL, -- 1: wanted
    at       BIGINT NOT NULL,
    PRIMARY KEY (customer, n)
);

-- mail_link: the secrets in such mails, which choose this and open nothing. Only
-- their hashes are kept.
CREATE TABLE mail_link (
    token_hash TEXT PRIMARY KEY,
    customer   TEXT NOT NULL REFERENCES customer (id),
    expires_at BIGINT NOT NULL
);
CREATE INDEX mail_link_by_end ON mail_link (expires_at);

-- +goose Down
DROP TABLE mail_link;
DROP TABLE mail_wish;
