-- +goose Up

-- Who is told of what, in which words; the newest version counts.
CREATE TABLE notice_rules (
    version    int PRIMARY KEY,
    body       jsonb NOT NULL,
    source     text NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE notice (
    id           uuid PRIMARY KEY,
    event        text NOT NULL,
    audience     text NOT NULL CHECK (audience IN ('manager', 'it', 'hr')),
    channel      text NOT NULL CHECK (channel IN ('mail', 'webhook', 'slack')),
    recipients   text[] NOT NULL, -- empty = found when it is sent: the manager's address
    case_id      uuid REFERENCES lifecycle_case,
    plan_id      uuid REFERENCES plan,
    leaver_id    uuid REFERENCES leaver,
    batch_id     uuid REFERENCES batch,
    source_id    uuid REFERENCES hr_source,
    cause        jsonb,
    version      int REFERENCES notice_rules, -- null = the built-in texts
    state        text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts     int NOT NULL DEFAULT 0,
    last_error   text NOT NULL DEFAULT '',
    text_hash    text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    delivered_at timestamptz
);
CREATE INDEX notice_list ON notice (created_at DESC, id DESC);
CREATE INDEX notice_list_state ON notice (state, created_at DESC, id DESC);
CREATE INDEX notice_case ON notice (case_id, created_at DESC, id DESC) WHERE case_id IS NOT NULL;
ALTER TABLE outbox ADD CONSTRAINT outbox_notice FOREIGN KEY (notice_id) REFERENCES notice;

GRANT SELECT, INSERT ON notice_rules TO sendoff_app;
GRANT SELECT, INSERT, UPDATE ON notice TO sendoff_app;
