-- +goose Up

-- Accounts as lists need them: by login without regard to case, by what they are,
-- by when they were last used.
ALTER TABLE account
    ADD COLUMN login_key      text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(login)) STORED,
    ADD COLUMN tracking       jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN person_by      text NOT NULL DEFAULT '' CHECK (person_by IN ('', 'link', 'email', 'employee_number', 'case')),
    ADD COLUMN first_seen_at  timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN missing_since  timestamptz,
    ADD COLUMN checked_at     timestamptz, -- when a missing account was last read by id
    -- The latest use that any source knows; account_activity has them apart.
    ADD COLUMN last_active_at timestamptz,
    ADD COLUMN last_event     text NOT NULL DEFAULT '',
    ADD COLUMN last_source    text NOT NULL DEFAULT '';
UPDATE account SET person_by = 'case' WHERE person_id IS NOT NULL;
UPDATE account SET missing_since = observed_at WHERE status = 'missing';

-- One pass over a connection: a sync, a read of its events, or the doctor's visit.
CREATE TABLE run (
    id            uuid PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES connection,
    kind          text NOT NULL CHECK (kind IN ('sync', 'activity', 'probe')),
    state         text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'quarantined', 'failed', 'discarded')),
    trigger       text NOT NULL CHECK (trigger IN ('schedule', 'person')),
    requested_by  text NOT NULL,
    baseline      boolean NOT NULL DEFAULT false,
    cause         jsonb,
    created_at    timestamptz NOT NULL,
    started_at    timestamptz,
    ended_at      timestamptz
);
CREATE UNIQUE INDEX run_open ON run (connection_id, kind) WHERE state IN ('queued', 'running');
CREATE UNIQUE INDEX run_quarantined ON run (connection_id) WHERE state = 'quarantined';
CREATE INDEX run_list ON run (kind, created_at DESC, id DESC);
CREATE INDEX run_connection ON run (connection_id, kind, created_at DESC, id DESC);

-- How far a run is; written with the page it tells of.
CREATE TABLE run_dataset (
    run_id     uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    dataset    text NOT NULL,
    state      text NOT NULL CHECK (state IN ('pending', 'collecting', 'collected', 'partial', 'not_collected')),
    reason     text NOT NULL DEFAULT '',
    generation int NOT NULL DEFAULT 1,
    pages      int NOT NULL DEFAULT 0,
    rows       bigint NOT NULL DEFAULT 0,
    marker     text NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, dataset)
);

-- What a sync has listed so far. Published in one transaction, then dropped.
CREATE TABLE staged_account (
    run_id        uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    generation    int NOT NULL,
    external_id   text NOT NULL,
    page          int NOT NULL, -- 0 = read by id, for the listing left it out
    login         text NOT NULL,
    name          text NOT NULL,
    role          text NOT NULL,
    status        text NOT NULL,
    vendor_status text NOT NULL,
    kind          text NOT NULL,
    enterprise_id text NOT NULL,
    space_used    bigint NOT NULL,
    space_amount  bigint NOT NULL,
    tracking      jsonb NOT NULL,
    created_at    timestamptz,
    observed_at   timestamptz NOT NULL,
    PRIMARY KEY (run_id, generation, external_id)
);
-- Accounts that the listing left out and that a read by id did not find either.
CREATE TABLE staged_absence (
    run_id      uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    external_id text NOT NULL,
    read_at     timestamptz NOT NULL,
    PRIMARY KEY (run_id, external_id)
);
CREATE TABLE staged_group (
    run_id        uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    generation    int NOT NULL,
    external_id   text NOT NULL,
    page          int NOT NULL,
    name          text NOT NULL,
    everybody     boolean NOT NULL,
    provenance    text NOT NULL,
    created_at    timestamptz,
    -- How far the group's own listings are: pending, at a marker, done, gone or refused.
    members_state text NOT NULL DEFAULT 'pending' CHECK (members_state IN ('pending', 'done', 'gone', 'refused')),
    members_next  text NOT NULL DEFAULT '',
    reach_state   text NOT NULL DEFAULT 'pending' CHECK (reach_state IN ('pending', 'done', 'gone', 'refused')),
    reach_next    text NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, generation, external_id)
);
CREATE TABLE staged_membership (
    run_id      uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    group_id    text NOT NULL,
    account_id  text NOT NULL, -- the vendor's id
    external_id text NOT NULL,
    role        text NOT NULL,
    permissions jsonb,
    PRIMARY KEY (run_id, group_id, account_id)
);
CREATE TABLE staged_collaboration (
    run_id      uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    group_id    text NOT NULL,
    external_id text NOT NULL,
    item_type   text NOT NULL,
    item_id     text NOT NULL,
    item_name   text NOT NULL,
    role        text NOT NULL,
    status      text NOT NULL,
    expires_at  timestamptz,
    PRIMARY KEY (run_id, group_id, external_id)
);

-- What is known, as of the last listing that was applied.
CREATE TABLE dataset (
    connection_id uuid NOT NULL REFERENCES connection,
    dataset       text NOT NULL,
    state         text NOT NULL CHECK (state IN ('collected', 'partial', 'not_collected')),
    reason        text NOT NULL DEFAULT '',
    detail        text NOT NULL DEFAULT '',
    as_of         timestamptz, -- null = never collected
    rows          bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (connection_id, dataset)
);
CREATE TABLE vendor_group (
    connection_id uuid NOT NULL REFERENCES connection,
    external_id   text NOT NULL,
    name          text NOT NULL,
    everybody     boolean NOT NULL,
    provenance    text NOT NULL,
    created_at    timestamptz,
    first_seen_at timestamptz NOT NULL,
    members       bigint NOT NULL DEFAULT 0,
    -- Whether its members (what they reach) were ever listed, and when last, if
    -- that was refused since; null = as of the data set.
    members_listed boolean NOT NULL DEFAULT false,
    members_as_of  timestamptz,
    reach_listed   boolean NOT NULL DEFAULT false,
    reach_as_of    timestamptz,
    PRIMARY KEY (connection_id, external_id)
);
CREATE INDEX vendor_group_list ON vendor_group (connection_id, lower(name), external_id);
CREATE TABLE group_membership (
    connection_id uuid NOT NULL REFERENCES connection,
    group_id      text NOT NULL,
    account_id    text NOT NULL, -- the vendor's id
    external_id   text NOT NULL,
    role          text NOT NULL,
    permissions   jsonb,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (connection_id, group_id, account_id)
);
CREATE INDEX group_membership_account ON group_membership (connection_id, account_id, group_id);
CREATE TABLE group_collaboration (
    connection_id uuid NOT NULL REFERENCES connection,
    group_id      text NOT NULL,
    external_id   text NOT NULL,
    item_type     text NOT NULL,
    item_id       text NOT NULL,
    item_name     text NOT NULL,
    role          text NOT NULL,
    status        text NOT NULL,
    expires_at    timestamptz,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (connection_id, group_id, external_id)
);

-- What is other than it was, and when that was seen.
CREATE TABLE inventory_change (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES connection,
    run_id        uuid, -- null = a read of one account; not a reference: runs are forgotten before changes
    kind          text NOT NULL,
    account_id    uuid,
    external_id   text NOT NULL DEFAULT '',
    group_id      text NOT NULL DEFAULT '',
    item_id       text NOT NULL DEFAULT '',
    login         text NOT NULL DEFAULT '', -- as it was then, and the group's name too
    group_name    text NOT NULL DEFAULT '',
    before        text NOT NULL DEFAULT '',
    after         text NOT NULL DEFAULT '',
    since         timestamptz,
    seen_at       timestamptz NOT NULL
);
CREATE INDEX inventory_change_connection ON inventory_change (connection_id, seen_at DESC, id DESC);
CREATE INDEX inventory_change_account ON inventory_change (account_id, seen_at DESC, id DESC) WHERE account_id IS NOT NULL;

-- How often a connection's runs begin by themselves; no row = the defaults.
CREATE TABLE connection_schedule (
    connection_id    uuid PRIMARY KEY REFERENCES connection,
    sync_seconds     bigint NOT NULL CHECK (sync_seconds >= 0), -- 0 = never
    activity_seconds bigint NOT NULL CHECK (activity_seconds >= 0),
    probe_seconds    bigint NOT NULL CHECK (probe_seconds > 0),
    backfill_seconds bigint NOT NULL CHECK (backfill_seconds > 0)
);

ALTER TABLE outbox ALTER COLUMN case_id DROP NOT NULL,
    ADD COLUMN run_id uuid REFERENCES run ON DELETE CASCADE,
    ADD COLUMN run_kind text NOT NULL DEFAULT '',
    ADD CHECK ((case_id IS NULL) <> (run_id IS NULL));

-- A version 7 UUID (RFC 9562 section 5.7), for rows that one statement makes many
-- of: milliseconds first, then a random version 4 UUID's rest with its version raised.
-- +goose StatementBegin
CREATE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
-- +goose StatementEnd
CREATE INDEX outbox_run ON outbox (run_id, dispatched_at) WHERE run_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON connection_schedule, dataset TO sendoff_app;
GRANT SELECT, INSERT ON inventory_change TO sendoff_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    run, run_dataset, staged_account, staged_absence, staged_group, staged_membership, staged_collaboration,
    vendor_group, group_membership, group_collaboration TO sendoff_app;
