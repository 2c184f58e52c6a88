-- +goose Up

-- sign_in_try: tries to sign in of late, by who was tried and from where, both
-- as hashes: nobody need have that name. The row without a source counts all
-- strangers together. (The columns failures and locked_until of staff stay for
-- centres of the version before, which may work beside this one.)
CREATE TABLE sign_in_try (
    who          TEXT NOT NULL,
    source       TEXT NOT NULL,
    tries        BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (who, source)
);
CREATE INDEX sign_in_try_by_time ON sign_in_try (at);

-- +goose Down
DROP TABLE sign_in_try;
