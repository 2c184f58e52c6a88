-- +goose Up

-- What waits for a webhook, by webhook; and what is being sent to one right now.
CREATE INDEX notice_of_hook ON notice (hook, due_at, id) WHERE state = 'waiting' AND medium = 'hook';
CREATE INDEX notice_in_hand ON notice (lease_until) WHERE state = 'waiting' AND medium = 'hook';

-- +goose Down
DROP INDEX notice_in_hand;
DROP INDEX notice_of_hook;
