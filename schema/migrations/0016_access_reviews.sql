-- +goose Up
CREATE TABLE access_review (
    id           uuid PRIMARY KEY,
    name         text NOT NULL UNIQUE,
    version      int NOT NULL CHECK (version > 0),
    set_name     text NOT NULL DEFAULT '', -- of the files it was applied with; '' = alone
    state        text NOT NULL CHECK (state IN ('active', 'paused')),
    pause_reason text NOT NULL DEFAULT '',
    paused_by    text NOT NULL DEFAULT '',
    withdrawn    boolean NOT NULL DEFAULT false, -- paused because its file left the set
    -- Up to which changes it has looked for what begins a small campaign.
    seen_change  bigint NOT NULL DEFAULT 0,
    seen_person_change bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX access_review_set ON access_review (set_name, name);

CREATE TABLE access_review_version (
    review_id  uuid NOT NULL REFERENCES access_review,
    version    int NOT NULL,
    rule       jsonb NOT NULL,
    hash       text NOT NULL,
    source     text NOT NULL,
    updated_by text NOT NULL,
    updated_id uuid,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (review_id, version)
);

CREATE TABLE campaign (
    id           uuid PRIMARY KEY,
    review_id    uuid NOT NULL REFERENCES access_review,
    version      int NOT NULL,
    trigger      text NOT NULL CHECK (trigger IN ('schedule', 'person', 'mover', 'privileged_role', 'returned')),
    scheduled_at timestamptz NOT NULL,
    requested_by text NOT NULL DEFAULT '',
    requested_id uuid,
    accounts     uuid[] NOT NULL DEFAULT '{}', -- both empty = the whole scope
    persons      uuid[] NOT NULL DEFAULT '{}',
    follows      uuid REFERENCES campaign,
    state        text NOT NULL CHECK (state IN ('draft', 'gathering', 'listing', 'assigning', 'open', 'closing', 'removing', 'held', 'closed', 'signed', 'ended')),
    end_kind     text NOT NULL DEFAULT '' CHECK (end_kind IN ('', 'done', 'empty', 'stale', 'cancelled', 'failed', 'blackout')),
    why          text NOT NULL DEFAULT '',
    basis        jsonb NOT NULL DEFAULT '[]',
    warnings     jsonb NOT NULL DEFAULT '[]',
    snapshot_at  timestamptz,
    opened_at    timestamptz,
    due_at       timestamptz,
    closed_at    timestamptz,
    overruns     jsonb NOT NULL DEFAULT '[]',
    batch_id     uuid REFERENCES batch,
    -- So many accounts were released over the budget by two principals.
    released     int NOT NULL DEFAULT 0,
    signed_at    timestamptz,
    signed_by    text NOT NULL DEFAULT '',
    signed_id    uuid,
    sign_reason  text NOT NULL DEFAULT '',
    evidence     text NOT NULL DEFAULT '', -- hex SHA-256
    workflow_id  text NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    FOREIGN KEY (review_id, version) REFERENCES access_review_version (review_id, version)
);
CREATE INDEX campaign_list ON campaign (created_at DESC, id DESC);
CREATE INDEX campaign_list_state ON campaign (state, created_at DESC, id DESC);
CREATE INDEX campaign_of_review ON campaign (review_id, created_at DESC, id DESC);
-- One whole campaign of a review at a time, and one for each scheduled time.
CREATE UNIQUE INDEX campaign_open ON campaign (review_id) WHERE state NOT IN ('draft', 'signed', 'ended') AND trigger IN ('schedule', 'person')
    AND accounts = '{}' AND persons = '{}';
CREATE UNIQUE INDEX campaign_once ON campaign (review_id, scheduled_at) WHERE trigger = 'schedule';
CREATE INDEX campaign_batch ON campaign (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX campaign_follows ON campaign (follows) WHERE follows IS NOT NULL;

-- What is removed of one account.
CREATE TABLE campaign_removal (
    id            uuid PRIMARY KEY,
    campaign_id   uuid NOT NULL REFERENCES campaign,
    account_id    uuid NOT NULL REFERENCES account,
    state         text NOT NULL CHECK (state IN ('wanted', 'planned', 'ready', 'started', 'done', 'refused', 'impossible', 'withdrawn', 'undone')),
    facts         jsonb,
    hash          text NOT NULL DEFAULT '',
    bytes         bigint NOT NULL DEFAULT 0,
    findings      jsonb NOT NULL DEFAULT '[]',
    why           text NOT NULL DEFAULT '',
    way           text NOT NULL DEFAULT '',
    case_id       uuid UNIQUE REFERENCES lifecycle_case,
    waits_for     uuid REFERENCES lifecycle_case,
    proven_at     timestamptz,
    checked_at    timestamptz,
    watch_until   timestamptz,
    -- Two principals let this plan go over the budget; another plan of it is held again.
    released      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE INDEX campaign_removal_list ON campaign_removal (campaign_id, state, id);
CREATE INDEX campaign_removal_time ON campaign_removal (campaign_id, created_at, id);
CREATE INDEX campaign_removal_account ON campaign_removal (account_id, campaign_id);
-- One at a time of an account.
CREATE UNIQUE INDEX campaign_removal_open ON campaign_removal (campaign_id, account_id) WHERE state IN ('wanted', 'planned', 'ready', 'started');
CREATE INDEX campaign_removal_watch ON campaign_removal (watch_until) WHERE watch_until IS NOT NULL;

CREATE TABLE campaign_item (
    id            uuid PRIMARY KEY,
    campaign_id   uuid NOT NULL REFERENCES campaign,
    account_id    uuid REFERENCES account, -- null = a control item
    kind          text NOT NULL CHECK (kind IN ('account', 'role', 'group', 'collaboration')),
    ref           text NOT NULL DEFAULT '',
    connection_id uuid NOT NULL REFERENCES connection,
    holder_id     uuid REFERENCES person,
    login         text NOT NULL,
    version       int NOT NULL DEFAULT 1,
    facts         jsonb NOT NULL,
    facts_hash    text NOT NULL,
    context       jsonb NOT NULL,
    recommended   text NOT NULL DEFAULT '' CHECK (recommended IN ('', 'keep', 'revoke')),
    recommended_for jsonb NOT NULL DEFAULT '[]',
    risk          text NOT NULL CHECK (risk IN ('low', 'medium', 'high')),
    score         int NOT NULL,
    risk_for      jsonb NOT NULL DEFAULT '[]',
    applies       text[] NOT NULL,
    control       text NOT NULL DEFAULT '', -- what should be seen through it by; '' = a real one
    state         text NOT NULL CHECK (state IN ('unassigned', 'open', 'decided', 'carried', 'undecided', 'gone', 'withdrawn')),
    stage         int NOT NULL DEFAULT 0,
    place         int NOT NULL DEFAULT 0, -- in the chain
    reviewer_id   uuid REFERENCES person,
    assign_to     uuid REFERENCES person, -- whom a principal named
    assigned_at   timestamptz,
    escalate_at   timestamptz,
    answer        text NOT NULL DEFAULT '' CHECK (answer IN ('', 'keep', 'revoke', 'abstain')),
    reason        text NOT NULL DEFAULT '',
    decided_by    text NOT NULL DEFAULT '',
    decided_at    timestamptz,
    decision_id   uuid,
    carried       int NOT NULL DEFAULT 0, -- how often in a row
    why           text NOT NULL DEFAULT '',
    removal_id    uuid REFERENCES campaign_removal,
    updated_at    timestamptz NOT NULL,
    CHECK (state <> 'open' OR reviewer_id IS NOT NULL)
);
CREATE UNIQUE INDEX campaign_item_once ON campaign_item (campaign_id, account_id, kind, ref) WHERE account_id IS NOT NULL;
CREATE INDEX campaign_item_list ON campaign_item (campaign_id, score DESC, id);
CREATE INDEX campaign_item_state ON campaign_item (campaign_id, state, score DESC, id);
CREATE INDEX campaign_item_queue ON campaign_item (reviewer_id, campaign_id, score DESC, id) WHERE state = 'open';
CREATE INDEX campaign_item_account ON campaign_item (account_id, kind, ref, decided_at DESC) WHERE account_id IS NOT NULL;
CREATE INDEX campaign_item_escalate ON campaign_item (campaign_id, escalate_at) WHERE state = 'open' AND escalate_at IS NOT NULL;
CREATE INDEX campaign_item_removal ON campaign_item (removal_id) WHERE removal_id IS NOT NULL;
CREATE INDEX campaign_item_revoked ON campaign_item (campaign_id, account_id) WHERE answer = 'revoke' AND state = 'decided' AND removal_id IS NULL;

-- The facts of versions before the present one.
CREATE TABLE campaign_item_version (
    item_id    uuid NOT NULL REFERENCES campaign_item,
    version    int NOT NULL,
    facts      jsonb NOT NULL,
    until      timestamptz NOT NULL,
    PRIMARY KEY (item_id, version)
);

CREATE TABLE campaign_assignment (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaign,
    item_id     uuid NOT NULL REFERENCES campaign_item,
    stage       int NOT NULL,
    reviewer_id uuid NOT NULL REFERENCES person,
    via         jsonb NOT NULL DEFAULT '[]',
    why         text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL,
    ended_at    timestamptz,
    end_why     text NOT NULL DEFAULT ''
);
CREATE INDEX campaign_assignment_item ON campaign_assignment (item_id, id);
CREATE INDEX campaign_assignment_reviewer ON campaign_assignment (campaign_id, reviewer_id);

CREATE TABLE campaign_decision (
    id          uuid PRIMARY KEY, -- given by who sends it
    campaign_id uuid NOT NULL REFERENCES campaign,
    item_id     uuid NOT NULL REFERENCES campaign_item,
    stage       int NOT NULL,
    version     int NOT NULL, -- of the item that was shown
    answer      text NOT NULL CHECK (answer IN ('keep', 'revoke', 'abstain')),
    reason      text NOT NULL DEFAULT '',
    bulk        boolean NOT NULL DEFAULT false,
    principal   text NOT NULL,
    token_id    uuid NOT NULL,
    reviewer_id uuid NOT NULL REFERENCES person,
    decided_at  timestamptz NOT NULL,
    current     boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX campaign_decision_current ON campaign_decision (item_id, stage) WHERE current;
CREATE INDEX campaign_decision_item ON campaign_decision (item_id, decided_at, id);
CREATE INDEX campaign_decision_reviewer ON campaign_decision (campaign_id, reviewer_id, decided_at);

-- What was done about a reviewer of a campaign as a whole.
CREATE TABLE campaign_reviewer (
    campaign_id  uuid NOT NULL REFERENCES campaign,
    reviewer_id  uuid NOT NULL REFERENCES person,
    reminders    int NOT NULL DEFAULT 0,
    reminded_at  timestamptz,
    told_at      timestamptz, -- that there is something to decide
    look_by      text NOT NULL DEFAULT '',
    look_id      uuid,
    look_at      timestamptz,
    look_reason  text NOT NULL DEFAULT '',
    look_decisions int NOT NULL DEFAULT 0, -- how many it was at
    PRIMARY KEY (campaign_id, reviewer_id)
);

CREATE TABLE campaign_return (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaign,
    item_id     uuid NOT NULL REFERENCES campaign_item,
    facts       jsonb NOT NULL,
    cause       text NOT NULL,
    detail      text NOT NULL DEFAULT '',
    seen_at     timestamptz NOT NULL,
    follow_up   uuid REFERENCES campaign
);
CREATE INDEX campaign_return_list ON campaign_return (campaign_id, id);

-- What was signed, as it was then: JSON, gzipped.
CREATE TABLE campaign_evidence (
    campaign_id uuid PRIMARY KEY REFERENCES campaign,
    body        bytea NOT NULL,
    hash        text NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE TABLE reviewer_absence (
    id          uuid PRIMARY KEY,
    person_id   uuid NOT NULL REFERENCES person,
    from_at     timestamptz NOT NULL,
    until_at    timestamptz, -- null = until it is ended
    delegate_id uuid REFERENCES person,
    reason      text NOT NULL,
    created_by  text NOT NULL,
    created_id  uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CHECK (until_at IS NULL OR until_at > from_at),
    CHECK (delegate_id IS DISTINCT FROM person_id)
);
CREATE INDEX reviewer_absence_person ON reviewer_absence (person_id, from_at DESC);
CREATE INDEX reviewer_absence_list ON reviewer_absence (from_at DESC, id DESC);

-- People who moved: what begins a small campaign about them.
CREATE TABLE person_change (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person,
    kind      text NOT NULL CHECK (kind IN ('department', 'manager')),
    before    text NOT NULL,
    after     text NOT NULL,
    seen_at   timestamptz NOT NULL
);
CREATE INDEX person_change_person ON person_change (person_id, id);
-- A trigger, so that no way of writing people leaves one out.
-- +goose StatementBegin
CREATE FUNCTION note_person_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.department IS DISTINCT FROM OLD.department AND OLD.department <> '' THEN
        INSERT INTO person_change (person_id, kind, before, after, seen_at) VALUES (NEW.id, 'department', OLD.department, NEW.department, now());
    END IF;
    IF NEW.manager_id IS DISTINCT FROM OLD.manager_id AND OLD.manager_id IS NOT NULL THEN
        INSERT INTO person_change (person_id, kind, before, after, seen_at)
            VALUES (NEW.id, 'manager', OLD.manager_id::text, coalesce(NEW.manager_id::text, ''), now());
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER person_changed AFTER UPDATE OF department, manager_id ON person FOR EACH ROW
    WHEN (NEW.department IS DISTINCT FROM OLD.department OR NEW.manager_id IS DISTINCT FROM OLD.manager_id)
    EXECUTE FUNCTION note_person_change();

ALTER TABLE batch DROP CONSTRAINT batch_scope_check,
    ADD CONSTRAINT batch_scope_check CHECK (scope IN ('hr_source', 'policy', 'access_review'));
ALTER TABLE budget_use ADD COLUMN campaign_id uuid REFERENCES campaign;
CREATE INDEX budget_use_campaign ON budget_use (campaign_id) WHERE campaign_id IS NOT NULL;

ALTER TABLE alarm ADD COLUMN access_review_id uuid REFERENCES access_review;
DROP INDEX alarm_open;
CREATE UNIQUE INDEX alarm_open ON alarm (connection_id, source_id, policy_id, access_review_id, code) NULLS NOT DISTINCT WHERE cleared_at IS NULL;

-- campaign_id and person_id of a notice to a reviewer, or to the campaign's owner.
ALTER TABLE notice ADD COLUMN campaign_id uuid REFERENCES campaign,
    ADD COLUMN person_id uuid REFERENCES person,
    DROP CONSTRAINT notice_audience_check,
    ADD CONSTRAINT notice_audience_check CHECK (audience IN ('manager', 'it', 'hr', 'asked', 'reviewer', 'owner')),
    DROP CONSTRAINT notice_state_check,
    ADD CONSTRAINT notice_state_check CHECK (state IN ('pending', 'delivered', 'failed', 'skipped'));
CREATE INDEX notice_campaign ON notice (campaign_id) WHERE campaign_id IS NOT NULL;

ALTER TABLE outbox ADD COLUMN access_review_id uuid REFERENCES access_review,
    ADD COLUMN campaign_id uuid REFERENCES campaign,
    DROP CONSTRAINT outbox_about_one,
    ADD CONSTRAINT outbox_about_one CHECK (num_nonnulls(case_id, run_id, leaver_id, source_id, notice_id, policy_id, review_id, access_review_id, campaign_id) = 1);
CREATE INDEX outbox_access_review ON outbox (access_review_id, id) WHERE access_review_id IS NOT NULL AND dispatched_at IS NULL;
CREATE INDEX outbox_campaign ON outbox (campaign_id, id) WHERE campaign_id IS NOT NULL AND dispatched_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON access_review, campaign, campaign_removal, campaign_item, campaign_assignment, campaign_decision, campaign_reviewer,
    campaign_return, reviewer_absence TO sendoff_app;
GRANT SELECT, INSERT ON access_review_version, campaign_item_version, campaign_evidence TO sendoff_app;
GRANT SELECT, INSERT, DELETE ON person_change TO sendoff_app;
