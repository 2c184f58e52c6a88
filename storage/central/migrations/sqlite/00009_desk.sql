-- +goose Up

-- desk_case: a case as the desk's lists, counts and statistics see it. Written
-- with the case and out of it: it can be made again. form: the rules it was
-- made by. turn: who must act. urgent_at: what runs out first.
CREATE TABLE desk_case (
    case_id     TEXT PRIMARY KEY REFERENCES refund_case (id),
    form        BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    is_open     BIGINT NOT NULL,
    status      TEXT NOT NULL,
    intent      TEXT NOT NULL,
    seller      TEXT NOT NULL,
    turn        TEXT NOT NULL,
    due_at      BIGINT NOT NULL,
    urgent_at   BIGINT NOT NULL,
    search      TEXT NOT NULL,
    pieces      BIGINT NOT NULL,
    opened_at   BIGINT NOT NULL,
    decided_at  BIGINT NOT NULL,
    credited_at BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    outcome     TEXT NOT NULL,
    refusals    BIGINT NOT NULL,
    missing     BIGINT NOT NULL
);
CREATE INDEX desk_case_by_urgency ON desk_case (is_open, urgent_at, case_id);
CREATE INDEX desk_case_by_seller ON desk_case (seller, ended_at);
CREATE INDEX desk_case_by_end ON desk_case (ended_at);
CREATE INDEX desk_case_by_opening ON desk_case (opened_at);

-- desk_finding: an inspection, counted. Only the latest revision.
CREATE TABLE desk_finding (
    finding     TEXT PRIMARY KEY,
    form        BIGINT NOT NULL,
    revision    BIGINT NOT NULL,
    item        TEXT NOT NULL,
    seller      TEXT NOT NULL,
    inspector   TEXT NOT NULL,
    verdict     TEXT NOT NULL,
    pieces      BIGINT NOT NULL,
    flawed      BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE INDEX desk_finding_by_seller ON desk_finding (seller, recorded_at);
CREATE INDEX desk_finding_by_time ON desk_finding (recorded_at);

-- case_assignee: who of the desk looks after a case; no row: nobody.
CREATE TABLE case_assignee (
    case_id TEXT PRIMARY KEY REFERENCES refund_case (id),
    staff   TEXT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX case_assignee_by_staff ON case_assignee (staff);

-- message_template: texts of the desk in every version there was.
CREATE TABLE message_template (
    id      TEXT NOT NULL,
    version BIGINT NOT NULL,
    body    TEXT NOT NULL,
    by_     TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (id, version)
);

-- case_message: what was told about a case outside of the centre, as a clerk
-- says that it was sent.
CREATE TABLE case_message (
    id      TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES refund_case (id),
    body    TEXT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX case_message_by_case ON case_message (case_id, at);

-- desk_run: what a person does in one go, such as a step with many cases: what
-- was asked for, and what came of it, so that asking twice shows the same.
CREATE TABLE desk_run (
    id      TEXT PRIMARY KEY,
    kind    TEXT NOT NULL,
    staff   TEXT NOT NULL,
    at      BIGINT NOT NULL,
    request TEXT NOT NULL,
    result  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX desk_run_by_time ON desk_run (at);

-- +goose Down
DROP TABLE desk_run;
DROP TABLE case_message;
DROP TABLE message_template;
DROP TABLE case_assignee;
DROP TABLE desk_finding;
DROP TABLE desk_case;
