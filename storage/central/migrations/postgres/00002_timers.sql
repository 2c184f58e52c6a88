-- +goose Up
-- When the clock acts on a case by itself; 0: never.
ALTER TABLE refund_case ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
UPDATE refund_case SET due_at = decide_by WHERE is_open = 1 AND status = 'awaiting_decision';
CREATE INDEX refund_case_by_due ON refund_case (is_open, due_at);

-- +goose Down
DROP INDEX refund_case_by_due;
ALTER TABLE refund_case DROP COLUMN due_at;
