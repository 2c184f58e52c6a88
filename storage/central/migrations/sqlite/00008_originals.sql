-- +goose Up

-- original: the original photos that the centre has not let go, each with the
-- items it was taken of. fate: '' until it is judged, 'evidence' when it stays
-- for ever, 'gone' when only another item still needs the file.
CREATE TABLE original (
    digest      TEXT NOT NULL,
    item        TEXT NOT NULL REFERENCES item (id),
    received_at BIGINT NOT NULL,
    fate        TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (digest, item)
);
CREATE INDEX original_by_age ON original (fate, item, received_at);
CREATE INDEX original_by_item ON original (item);
INSERT INTO original (digest, item, received_at)
SELECT json_extract(p.value, '$.sha256'), f.item, MIN(f.received_at)
FROM finding f, json_each(f.body, '$.photos') p GROUP BY 1, 2;

-- +goose Down
DROP TABLE original;
