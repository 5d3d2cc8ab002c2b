-- +goose Up
CREATE TABLE policy (
    id           uuid PRIMARY KEY,
    name         text NOT NULL UNIQUE,
    version      int NOT NULL CHECK (version > 0),
    set_name     text NOT NULL DEFAULT '', -- of the files it was applied with; '' = alone
    state        text NOT NULL CHECK (state IN ('active', 'paused')),
    pause_reason text NOT NULL DEFAULT '',
    paused_by    text NOT NULL DEFAULT '',
    -- Paused because its file left the set: applying the set with it resumes it.
    withdrawn    boolean NOT NULL DEFAULT false,
    acted        int NOT NULL DEFAULT 0, -- reviews that were allowed to act, or reported as a cold start
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX policy_set ON policy (set_name, name);

CREATE TABLE policy_version (
    policy_id  uuid NOT NULL REFERENCES policy,
    version    int NOT NULL,
    rule       jsonb NOT NULL,
    hash       text NOT NULL,
    source     text NOT NULL,
    updated_by text NOT NULL,
    updated_id uuid,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (policy_id, version)
);

CREATE TABLE review (
    id           uuid PRIMARY KEY,
    policy_id    uuid NOT NULL REFERENCES policy,
    version      int NOT NULL,
    scheduled_at timestamptz NOT NULL,
    trigger      text NOT NULL CHECK (trigger IN ('schedule', 'person')),
    requested_by text NOT NULL DEFAULT '',
    requested_id uuid,
    mode         text NOT NULL CHECK (mode IN ('act', 'shadow', 'cold_start', 'report')),
    state        text NOT NULL CHECK (state IN ('gathering', 'judging', 'planning', 'held', 'approving', 'acting', 'ended')),
    end_kind     text NOT NULL DEFAULT '' CHECK (end_kind IN ('', 'done', 'reported', 'stale', 'too_many', 'discarded', 'cancelled', 'failed', 'blackout')),
    why          text NOT NULL DEFAULT '',
    looked       bigint NOT NULL DEFAULT 0,
    reasons      jsonb NOT NULL DEFAULT '[]',
    basis        jsonb NOT NULL DEFAULT '[]',
    changed      bigint NOT NULL DEFAULT 0,
    hash         text NOT NULL DEFAULT '',
    wanted       jsonb,
    overruns     jsonb NOT NULL DEFAULT '[]',
    budget_wait  jsonb, -- confirmed accounts find no room in a budget of 24 hours
    batch_id     uuid REFERENCES batch,
    approvals    int NOT NULL,
    workflow_id  text NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL,
    judged_at    timestamptz,
    ended_at     timestamptz,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    FOREIGN KEY (policy_id, version) REFERENCES policy_version (policy_id, version)
);
CREATE UNIQUE INDEX review_once ON review (policy_id, scheduled_at);
-- One at a time.
CREATE UNIQUE INDEX review_open ON review (policy_id) WHERE state <> 'ended';
CREATE INDEX review_list ON review (created_at DESC, id DESC);
CREATE INDEX review_list_state ON review (state, created_at DESC, id DESC);
CREATE INDEX review_of_policy ON review (policy_id, created_at DESC, id DESC);
CREATE INDEX review_batch ON review (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX review_budget_wait ON review (id) WHERE budget_wait IS NOT NULL;

CREATE TABLE review_approval (
    review_id  uuid NOT NULL REFERENCES review,
    hash       text NOT NULL,
    principal  text NOT NULL,
    token_id   uuid NOT NULL,
    email      text NOT NULL DEFAULT '',
    reason     text NOT NULL CHECK (reason <> ''),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (review_id, hash, principal)
);

-- A review keeps many accounts at once. What these two tables refer to is never
-- deleted, by no role of the application, and the transaction that adds rows holds the
-- review: foreign keys would cost a look-up and a lock for each row, and prove nothing.

-- One for each matched account, which is its verdict too.
CREATE TABLE review_item (
    review_id      uuid NOT NULL, -- of review
    account_id     uuid NOT NULL, -- of account
    connection_id  uuid NOT NULL, -- of connection
    external_id    text NOT NULL,
    login          text NOT NULL,
    privileged     boolean NOT NULL,
    state          text NOT NULL CHECK (state IN ('matched', 'planned', 'refused', 'asking', 'ready', 'started', 'kept', 'silent', 'drifted', 'cancelled')),
    grade          text NOT NULL,
    threshold_seconds bigint NOT NULL,
    last_active_at timestamptz,
    facts          jsonb,
    hash           text NOT NULL DEFAULT '',
    bytes          bigint NOT NULL DEFAULT 0,
    findings       jsonb NOT NULL DEFAULT '[]',
    drift          jsonb NOT NULL DEFAULT '[]',
    why            text NOT NULL DEFAULT '',
    before         text NOT NULL DEFAULT '', -- the verdict of the review before, where it was another
    case_id        uuid REFERENCES lifecycle_case,
    ask_until      timestamptz,
    updated_at     timestamptz NOT NULL,
    PRIMARY KEY (review_id, account_id),
    CHECK ((state = 'started') = (case_id IS NOT NULL))
);
CREATE INDEX review_item_state ON review_item (review_id, state, account_id);
CREATE INDEX review_item_asking ON review_item (review_id, ask_until) WHERE state = 'asking';
CREATE INDEX review_item_changed ON review_item (review_id, account_id) WHERE before <> '';
CREATE UNIQUE INDEX review_item_case ON review_item (case_id) WHERE case_id IS NOT NULL;

-- The accounts that a review did not match: those kept out by an exclusion or by an
-- answer, and those that the review before judged otherwise.
CREATE TABLE review_verdict (
    review_id     uuid NOT NULL, -- of review
    account_id    uuid NOT NULL, -- of account
    connection_id uuid NOT NULL, -- of connection
    external_id   text NOT NULL,
    login         text NOT NULL,
    reason        text NOT NULL CHECK (reason <> 'matched'),
    before        text NOT NULL DEFAULT '',
    exclusion     int NOT NULL DEFAULT -1,
    PRIMARY KEY (review_id, account_id)
);
CREATE INDEX review_verdict_reason ON review_verdict (review_id, reason, account_id);
CREATE INDEX review_verdict_changed ON review_verdict (review_id, account_id) WHERE before <> '';

CREATE TABLE review_ask (
    id          uuid PRIMARY KEY,
    review_id   uuid NOT NULL REFERENCES review,
    account_id  uuid NOT NULL REFERENCES account,
    ask_index   int NOT NULL,
    whom        text NOT NULL CHECK (whom IN ('holder', 'manager', 'owner', 'named')),
    channel     text NOT NULL CHECK (channel IN ('mail', 'webhook', 'slack')),
    recipient   text NOT NULL,
    state       text NOT NULL CHECK (state IN ('pending', 'delivered', 'answered', 'failed', 'ended')),
    token_hash  text NOT NULL UNIQUE, -- hex SHA-256; the token itself is nowhere
    answer      text NOT NULL DEFAULT '' CHECK (answer IN ('', 'needed', 'not_needed')),
    reason      text NOT NULL DEFAULT '',
    wait_ms     bigint NOT NULL DEFAULT 0, -- how long an answer is awaited once it is delivered
    delivered_at timestamptz,
    linked      boolean NOT NULL DEFAULT false, -- it was delivered with a link to answer by
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL,
    answered_at timestamptz,
    UNIQUE (review_id, account_id, ask_index, recipient),
    FOREIGN KEY (review_id, account_id) REFERENCES review_item (review_id, account_id)
);

-- Somebody said that an account is still needed.
CREATE TABLE account_kept (
    account_id uuid NOT NULL REFERENCES account,
    kept_at    timestamptz NOT NULL,
    policy_id  uuid REFERENCES policy,
    review_id  uuid REFERENCES review,
    by_name    text NOT NULL,
    reason     text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (account_id, kept_at)
);

-- What was allowed to be done, by whatever door: budgets count the last 24 hours.
-- A review run reserves what it plans; when one of its items starts, that moves from
-- what is reserved to the time at which it starts. Starts of a run and a connection
-- are counted together for some minutes, until whose end the time is set.
CREATE TABLE budget_use (
    id            uuid PRIMARY KEY,
    used_at       timestamptz NOT NULL,
    reserved      boolean NOT NULL DEFAULT false,
    door          text NOT NULL,
    policy_id     uuid REFERENCES policy,
    review_id     uuid REFERENCES review,
    case_id       uuid REFERENCES lifecycle_case,
    connection_id uuid NOT NULL REFERENCES connection,
    accounts      int NOT NULL,
    privileged    int NOT NULL DEFAULT 0,
    bytes         bigint NOT NULL DEFAULT 0
);
CREATE INDEX budget_use_day ON budget_use (used_at, connection_id);
CREATE INDEX budget_use_policy ON budget_use (policy_id, used_at) WHERE policy_id IS NOT NULL;
CREATE UNIQUE INDEX budget_use_review ON budget_use (review_id, connection_id, reserved, used_at) WHERE review_id IS NOT NULL;

-- One row; whoever counts or uses a budget locks it.
CREATE TABLE engine_budget (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    per_day     int NOT NULL DEFAULT 0 CHECK (per_day >= 0),
    connection  int NOT NULL DEFAULT 0 CHECK (connection >= 0),
    updated_by  text NOT NULL DEFAULT '',
    updated_at  timestamptz
);
INSERT INTO engine_budget DEFAULT VALUES;

ALTER TABLE alarm ADD COLUMN policy_id uuid REFERENCES policy;
DROP INDEX alarm_open;
CREATE UNIQUE INDEX alarm_open ON alarm (connection_id, source_id, policy_id, code) NULLS NOT DISTINCT WHERE cleared_at IS NULL;

ALTER TABLE notice ADD COLUMN ask_id uuid REFERENCES review_ask,
    ADD COLUMN policy_id uuid REFERENCES policy,
    ADD COLUMN review_id uuid REFERENCES review,
    DROP CONSTRAINT notice_audience_check,
    ADD CONSTRAINT notice_audience_check CHECK (audience IN ('manager', 'it', 'hr', 'asked'));
CREATE INDEX notice_ask ON notice (ask_id) WHERE ask_id IS NOT NULL;

ALTER TABLE outbox ADD COLUMN policy_id uuid REFERENCES policy,
    ADD COLUMN review_id uuid REFERENCES review,
    DROP CONSTRAINT outbox_about_one,
    ADD CONSTRAINT outbox_about_one CHECK (num_nonnulls(case_id, run_id, leaver_id, source_id, notice_id, policy_id, review_id) = 1);
CREATE INDEX outbox_policy ON outbox (policy_id, id) WHERE policy_id IS NOT NULL AND dispatched_at IS NULL;
CREATE INDEX outbox_review ON outbox (review_id, id) WHERE review_id IS NOT NULL AND dispatched_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON policy, review, review_item, review_ask, engine_budget TO sendoff_app;
GRANT SELECT, INSERT ON policy_version, review_approval, account_kept TO sendoff_app;
GRANT SELECT, INSERT, UPDATE ON review_verdict TO sendoff_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON budget_use TO sendoff_app;
