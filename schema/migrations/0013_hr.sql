-- +goose Up

-- What HR says of an employment besides its days.
ALTER TABLE employment
    ADD COLUMN garden_leave_from date,
    ADD COLUMN status text NOT NULL DEFAULT '' CHECK (status IN ('', 'active', 'on_leave', 'ended')),
    ADD COLUMN for_cause boolean NOT NULL DEFAULT false,
    ADD COLUMN active_again date; -- the source called it ended, and then active
CREATE INDEX employment_manager_name ON employment (source, manager) WHERE manager <> '';

-- Systems that tell who is employed and who leaves.
CREATE TABLE hr_source (
    id              uuid PRIMARY KEY,
    name            text NOT NULL CHECK (name <> ''),
    kind            text NOT NULL CHECK (kind IN ('standard-webhooks', 'bamboohr', 'hmac', 'scim', 'csv', 'manual')),
    state           text NOT NULL CHECK (state IN ('enabled', 'disabled', 'removed')),
    time_zone       text NOT NULL,
    template        text NOT NULL,
    receivers       text[] NOT NULL,
    approvals       int NOT NULL CHECK (approvals BETWEEN 0 AND 2),
    owner           text NOT NULL,
    rhythm_seconds  bigint NOT NULL CHECK (rhythm_seconds >= 0),
    limit_number    int NOT NULL CHECK (limit_number >= 0),
    limit_percent   int NOT NULL CHECK (limit_percent BETWEEN 0 AND 100),
    limit_window_seconds bigint NOT NULL CHECK (limit_window_seconds > 0),
    mapping         jsonb,
    signature       jsonb,
    base_url        text NOT NULL DEFAULT '',
    poll_seconds    bigint NOT NULL DEFAULT 0 CHECK (poll_seconds >= 0), -- 0 = it is not polled
    secret          bytea, -- sealed; null = it has none, or is removed
    previous_secret bytea, -- sealed; good until the instant
    previous_until  timestamptz,
    api_key         bytea, -- sealed
    version         bigint NOT NULL,
    last_heard_at   timestamptz,
    last_event_at   timestamptz,
    next_poll_at    timestamptz, -- null = it is not polled
    poll_marker     text NOT NULL DEFAULT '',
    poll_error      text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX hr_source_live_name ON hr_source (name) WHERE state <> 'removed';
CREATE INDEX hr_source_poll ON hr_source (next_poll_at) WHERE state = 'enabled' AND next_poll_at IS NOT NULL;

-- Bearer tokens of SCIM sources.
CREATE TABLE hr_source_token (
    id           uuid PRIMARY KEY,
    source_id    uuid NOT NULL REFERENCES hr_source,
    token_hash   bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX hr_source_token_source ON hr_source_token (source_id, created_at);

-- The inbox: written before the answer, applied in the order of seq.
CREATE TABLE hr_event (
    id          uuid PRIMARY KEY,
    seq         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    source_id   uuid NOT NULL REFERENCES hr_source,
    event_id    text NOT NULL CHECK (event_id <> ''),
    group_id    text NOT NULL DEFAULT '', -- events of one group are applied together
    via         text NOT NULL CHECK (via IN ('webhook', 'scim', 'poll', 'import', 'hand')),
    kind        text NOT NULL CHECK (kind IN ('', 'employments', 'hint', 'leave', 'return')), -- of its change; '' = refused
    body_hash   bytea NOT NULL CHECK (octet_length(body_hash) = 32),
    body        bytea NOT NULL, -- as it came
    change      bytea NOT NULL, -- JSON of HRChange; bytea, for a whole roster is larger than jsonb takes
    state       text NOT NULL CHECK (state IN ('pending', 'applied', 'refused')),
    problems    jsonb NOT NULL DEFAULT '[]',
    outcome     jsonb NOT NULL DEFAULT '[]',
    received_at timestamptz NOT NULL,
    applied_at  timestamptz,
    UNIQUE (source_id, event_id)
);
CREATE INDEX hr_event_pending ON hr_event (source_id, seq) WHERE state = 'pending';
CREATE INDEX hr_event_list ON hr_event (seq DESC);
CREATE INDEX hr_event_list_source ON hr_event (source_id, seq DESC);
CREATE INDEX hr_event_list_refused ON hr_event (seq DESC) WHERE state = 'refused';
CREATE INDEX hr_event_list_source_refused ON hr_event (source_id, seq DESC) WHERE state = 'refused';

-- Places of work with their zones.
CREATE TABLE site (
    name       text PRIMARY KEY CHECK (name <> ''),
    time_zone  text NOT NULL CHECK (time_zone <> ''),
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL
);

-- What would have started more than its limit allows.
CREATE TABLE batch (
    id         uuid PRIMARY KEY,
    scope      text NOT NULL CHECK (scope IN ('hr_source', 'policy')),
    scope_id   text NOT NULL,
    scope_name text NOT NULL,
    state      text NOT NULL CHECK (state IN ('held', 'released', 'discarded')),
    size       int NOT NULL CHECK (size >= 0),
    started    int NOT NULL,
    allowed    int NOT NULL,
    limit_number  int NOT NULL,
    limit_percent int NOT NULL,
    limit_window_seconds bigint NOT NULL,
    grown_at   timestamptz NOT NULL DEFAULT now(), -- when somebody last joined: releases before it do not count
    created_at timestamptz NOT NULL,
    ended_at   timestamptz
);
CREATE UNIQUE INDEX batch_held ON batch (scope, scope_id) WHERE state = 'held';
CREATE INDEX batch_list ON batch (created_at DESC, id DESC);
CREATE INDEX batch_text ON batch ((id::text) text_pattern_ops);
CREATE INDEX batch_list_state ON batch (state, created_at DESC, id DESC);
CREATE TABLE batch_decision (
    batch_id   uuid NOT NULL REFERENCES batch,
    kind       text NOT NULL CHECK (kind IN ('released', 'discarded')),
    reason     text NOT NULL CHECK (reason <> ''),
    size       int NOT NULL, -- of the batch that the principal saw
    principal  text NOT NULL,
    token_id   uuid NOT NULL,
    created_at timestamptz NOT NULL,
    -- Who released a batch may do so again once it has grown, and may discard it.
    PRIMARY KEY (batch_id, principal, created_at)
);

-- What HR wants for a person who leaves, and the case that does it.
CREATE TABLE leaver (
    id            uuid PRIMARY KEY,
    person_id     uuid NOT NULL REFERENCES person,
    source_id     uuid NOT NULL REFERENCES hr_source,
    external_id   text NOT NULL, -- '' = by hand
    moment        jsonb NOT NULL,
    due_at        timestamptz NOT NULL,
    for_cause     boolean NOT NULL,
    reason        text NOT NULL,
    by_hand       boolean NOT NULL,
    heard         jsonb, -- the moment that feeds last told; null = that they stay
    state         text NOT NULL CHECK (state IN ('held', 'planning', 'no_account', 'refused', 'open', 'withdrawn', 'ended')),
    end_kind      text NOT NULL DEFAULT '' CHECK (end_kind IN ('', 'done', 'withdrawn', 'cancelled', 'no_account', 'discarded')),
    case_id       uuid REFERENCES lifecycle_case,
    own_case      boolean NOT NULL DEFAULT false,
    swept_at      timestamptz, -- when it was last told to be looked at for no reason but time
    case_due_at   timestamptz, -- the moment that the own case was last given; an operator may have moved it since
    batch_id      uuid REFERENCES batch,
    findings      jsonb NOT NULL DEFAULT '[]',
    lost          text[] NOT NULL DEFAULT '{}',
    revision      bigint NOT NULL,
    template      text NOT NULL,
    receivers     text[] NOT NULL,
    approvals     int NOT NULL,
    asked_by      text NOT NULL DEFAULT '', -- who said it by hand, or handed its file in; they do not approve it
    asked_id      uuid,
    counted_at    timestamptz NOT NULL, -- when it counted against its source's limit
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL) AND (state = 'ended') = (end_kind <> ''))
);
CREATE UNIQUE INDEX leaver_open ON leaver (person_id) WHERE state <> 'ended';
CREATE INDEX leaver_list ON leaver (created_at DESC, id DESC);
CREATE INDEX leaver_list_open ON leaver (created_at DESC, id DESC) WHERE state <> 'ended';
CREATE INDEX leaver_judged ON leaver (id) WHERE state NOT IN ('ended', 'withdrawn') AND NOT by_hand;
CREATE INDEX leaver_list_state ON leaver (state, created_at DESC, id DESC);
CREATE INDEX leaver_person ON leaver (person_id, created_at DESC, id DESC);
CREATE INDEX leaver_source ON leaver (source_id, created_at DESC, id DESC);
CREATE INDEX leaver_counted ON leaver (source_id, counted_at);
CREATE INDEX leaver_batch ON leaver (batch_id, created_at DESC, id DESC) WHERE batch_id IS NOT NULL;
CREATE INDEX leaver_case ON leaver (case_id) WHERE case_id IS NOT NULL;

-- What identity providers keep with us.
CREATE TABLE scim_resource (
    id          uuid PRIMARY KEY,
    source_id   uuid NOT NULL REFERENCES hr_source,
    type        text NOT NULL CHECK (type IN ('User', 'Group')),
    external_id text NOT NULL,
    name        text NOT NULL CHECK (name <> ''),
    name_key    text COLLATE "C" NOT NULL, -- the name in lower case, by our rules and not the database's locale
    email       text COLLATE "C" NOT NULL,
    active      boolean NOT NULL,
    body        jsonb NOT NULL,
    version     bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    modified_at timestamptz NOT NULL,
    CONSTRAINT scim_resource_name UNIQUE (source_id, type, name_key)
);
CREATE INDEX scim_resource_list ON scim_resource (source_id, type, created_at, id);
CREATE INDEX scim_resource_external ON scim_resource (source_id, type, external_id) WHERE external_id <> '';
CREATE INDEX scim_resource_email ON scim_resource (source_id, email) WHERE email <> '';
CREATE TABLE scim_member (
    group_id uuid NOT NULL REFERENCES scim_resource ON DELETE CASCADE,
    user_id  uuid NOT NULL REFERENCES scim_resource ON DELETE CASCADE,
    display  text NOT NULL DEFAULT '',
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX scim_member_user ON scim_member (user_id);

ALTER TABLE alarm ADD COLUMN source_id uuid REFERENCES hr_source;
DROP INDEX alarm_open;
CREATE UNIQUE INDEX alarm_open ON alarm (connection_id, source_id, code) NULLS NOT DISTINCT WHERE cleared_at IS NULL;

ALTER TABLE outbox DROP CONSTRAINT outbox_check,
    ADD COLUMN leaver_id uuid REFERENCES leaver,
    ADD COLUMN source_id uuid REFERENCES hr_source,
    ADD COLUMN notice_id uuid,
    ADD CONSTRAINT outbox_about_one CHECK (num_nonnulls(case_id, run_id, leaver_id, source_id, notice_id) = 1);
CREATE INDEX outbox_leaver ON outbox (leaver_id, id) WHERE leaver_id IS NOT NULL AND dispatched_at IS NULL;
CREATE INDEX outbox_source ON outbox (source_id) WHERE source_id IS NOT NULL AND dispatched_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON hr_source, hr_source_token, hr_event, batch, leaver TO sendoff_app;
GRANT SELECT, INSERT ON batch_decision TO sendoff_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON site, scim_resource, scim_member TO sendoff_app;

-- What people say by hand.
INSERT INTO hr_source (id, name, kind, state, time_zone, template, receivers, approvals, owner, rhythm_seconds,
        limit_number, limit_percent, limit_window_seconds, version, created_at, updated_at)
    VALUES (new_id(), 'manual', 'manual', 'enabled', 'UTC', 'leaver', '{manager,department-owner}', 0, '', 0, 5, 2, 86400, 1, now(), now());
