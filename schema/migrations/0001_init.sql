-- +goose Up

-- The application's role sendoff_app is made before the migrations run; it gets
-- no more than it needs, and on the audit tables may insert and read alone.

CREATE TABLE api_token (
    id           uuid PRIMARY KEY,
    name         text NOT NULL CHECK (name <> ''),
    role         text NOT NULL CHECK (role IN ('admin', 'operator', 'reviewer', 'auditor')),
    email        text CHECK (email <> '' AND email = lower(email)), -- of the person who holds it; null = not a person's
    token_hash   bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
CREATE UNIQUE INDEX api_token_live_name ON api_token (name) WHERE revoked_at IS NULL;

-- One row: a value sealed with the root key, so that a wrong key stops the start.
CREATE TABLE key_check (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    sealed bytea NOT NULL
);

CREATE TABLE engine_switch (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    paused     boolean NOT NULL,
    reason     text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
INSERT INTO engine_switch (paused, reason, changed_by, changed_at) VALUES (false, '', 'migration', now());

CREATE TABLE connection (
    id            uuid PRIMARY KEY,
    name          text NOT NULL CHECK (name <> ''),
    vendor        text NOT NULL,
    state         text NOT NULL CHECK (state IN ('enabled', 'disabled', 'removed')),
    read_only     boolean NOT NULL,
    base_url      text NOT NULL,
    token_url     text NOT NULL,
    client_id     text NOT NULL,
    enterprise_id text NOT NULL,
    as_user       text NOT NULL,
    secret        bytea, -- sealed; null once removed
    version       bigint NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX connection_live_name ON connection (name) WHERE state <> 'removed';
-- Plans and lanes are per connection's account: a second connection that writes to
-- the same enterprise would let two plans work on one account.
CREATE UNIQUE INDEX connection_live_writer ON connection (vendor, enterprise_id) WHERE state <> 'removed' AND NOT read_only;

CREATE TABLE person (
    id         uuid PRIMARY KEY,
    email      text NOT NULL UNIQUE CHECK (email = lower(email)),
    created_at timestamptz NOT NULL
);

CREATE TABLE account (
    id            uuid PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES connection,
    external_id   text NOT NULL,
    person_id     uuid REFERENCES person,
    login         text NOT NULL,
    name          text NOT NULL,
    role          text NOT NULL,
    status        text NOT NULL CHECK (status IN ('active', 'suspended', 'restricted', 'missing', 'deleted')),
    vendor_status text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('person', 'service', 'app', 'external')),
    enterprise_id text NOT NULL,
    space_used    bigint NOT NULL,
    space_amount  bigint NOT NULL,
    created_at    timestamptz, -- at the vendor; null = it does not say
    observed_at   timestamptz NOT NULL,
    UNIQUE (connection_id, external_id)
);
CREATE INDEX account_person ON account (person_id);
CREATE INDEX account_external ON account (external_id);

CREATE TABLE lifecycle_case (
    id            uuid PRIMARY KEY,
    door          text NOT NULL,
    person_id     uuid NOT NULL REFERENCES person,
    template      text NOT NULL,
    grace_seconds bigint NOT NULL CHECK (grace_seconds >= 0),
    receivers     text[] NOT NULL,
    effective_at  timestamptz,
    approvals     int NOT NULL CHECK (approvals BETWEEN 0 AND 2),
    requested_by  text NOT NULL,
    requested_id  uuid,
    source        text NOT NULL,
    hash          text NOT NULL,
    created_at    timestamptz NOT NULL,
    closed_at     timestamptz
);
CREATE INDEX lifecycle_case_list ON lifecycle_case (created_at DESC, id DESC);
CREATE INDEX lifecycle_case_person ON lifecycle_case (person_id, created_at DESC, id DESC);

CREATE TABLE plan (
    id             uuid PRIMARY KEY,
    case_id        uuid NOT NULL REFERENCES lifecycle_case,
    connection_id  uuid NOT NULL REFERENCES connection,
    account_id     uuid NOT NULL REFERENCES account,
    rank           int NOT NULL,
    state          text NOT NULL CHECK (state IN ('planned', 'running', 'waiting', 'settling', 'cancelling', 'parked', 'superseded', 'cancelled', 'done')),
    hash           text NOT NULL,
    facts          jsonb NOT NULL,
    template       text NOT NULL,
    current_step   int NOT NULL,
    fence          bigint NOT NULL,
    approvals      int NOT NULL,
    stopping       boolean NOT NULL DEFAULT false, -- a cancel was decided: resumed, it goes on cancelling
    planned_bytes  bigint NOT NULL,
    cause          jsonb,
    prior_status   text NOT NULL DEFAULT '',
    snapshot       jsonb,
    wait_until     timestamptz,
    delete_tries   int NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
-- One open plan per account (DESIGN section 5).
CREATE UNIQUE INDEX plan_open_account ON plan (account_id) WHERE state NOT IN ('done', 'cancelled', 'superseded');
CREATE INDEX plan_open_connection ON plan (connection_id) WHERE state NOT IN ('done', 'cancelled', 'superseded');
CREATE INDEX plan_case ON plan (case_id, id);
CREATE INDEX plan_account ON plan (account_id, id);
CREATE INDEX plan_state ON plan (state, case_id);

CREATE TABLE plan_step (
    plan_id      uuid NOT NULL REFERENCES plan,
    index        int NOT NULL,
    kind         text NOT NULL,
    wait_seconds bigint NOT NULL,
    state        text NOT NULL CHECK (state IN ('pending', 'running', 'done', 'skipped', 'cancelled')),
    started_at   timestamptz,
    finished_at  timestamptz,
    proof        jsonb NOT NULL DEFAULT '{}',
    evidence     jsonb NOT NULL DEFAULT '{}', -- the last of each kind, to record only what differs
    PRIMARY KEY (plan_id, index)
);

-- The journal of writes to vendors: intent before each send, outcome after it.
CREATE TABLE vendor_write (
    plan_id     uuid NOT NULL REFERENCES plan,
    op          text NOT NULL,
    n           int NOT NULL,
    intended_at timestamptz NOT NULL,
    outcome     text NOT NULL DEFAULT '',
    outcome_at  timestamptz,
    PRIMARY KEY (plan_id, op, n)
);

CREATE TABLE transfer (
    plan_id         uuid PRIMARY KEY REFERENCES plan,
    connection_id   uuid NOT NULL REFERENCES connection,
    source          text NOT NULL,
    receiver        text NOT NULL,
    receiver_id     uuid REFERENCES account,
    state           text NOT NULL CHECK (state IN ('waiting', 'intended', 'sent', 'refused', 'busy', 'settling', 'proven', 'presumed', 'stalled', 'skipped')),
    attempts        int NOT NULL DEFAULT 0,
    bytes_before    bigint NOT NULL,
    bytes_left      bigint NOT NULL,
    witness_total   int NOT NULL,
    witness_found   int NOT NULL DEFAULT 0,
    folder_ids      text[] NOT NULL DEFAULT '{}',
    queued_seq      bigint, -- place in the lane's queue; null = not queued
    sent_at         timestamptz,
    ended_at        timestamptz,
    clear_since     timestamptz,
    moved_at        timestamptz,
    last_read_at    timestamptz,
    last_outcome    text NOT NULL DEFAULT '',
    updated_at      timestamptz NOT NULL
);
CREATE SEQUENCE transfer_queue_seq;
CREATE INDEX transfer_queue ON transfer (connection_id, queued_seq) WHERE queued_seq IS NOT NULL;

-- Each request that was, or may have been, sent.
CREATE TABLE transfer_attempt (
    plan_id     uuid NOT NULL REFERENCES transfer,
    n           int NOT NULL,
    state       text NOT NULL CHECK (state IN ('intended', 'sent', 'refused', 'busy', 'settling')),
    sent_at     timestamptz NOT NULL,
    ended_at    timestamptz,
    outcome     text NOT NULL DEFAULT '',
    http_status int NOT NULL DEFAULT 0,
    vendor_code text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT '',
    PRIMARY KEY (plan_id, n)
);

-- Lanes: an account takes part in at most one open transfer, in whatever role.
CREATE TABLE transfer_party (
    connection_id uuid NOT NULL REFERENCES connection,
    external_id   text NOT NULL,
    plan_id       uuid NOT NULL REFERENCES transfer,
    PRIMARY KEY (connection_id, external_id)
);
CREATE INDEX transfer_party_plan ON transfer_party (plan_id);

CREATE TABLE decision (
    id         uuid PRIMARY KEY,
    case_id    uuid NOT NULL REFERENCES lifecycle_case,
    plan_id    uuid REFERENCES plan,
    kind       text NOT NULL CHECK (kind IN ('approve', 'resume', 'cancel')),
    hash       text NOT NULL,
    reason     text NOT NULL,
    principal  text NOT NULL,
    token_id   uuid,
    created_at timestamptz NOT NULL
);
CREATE INDEX decision_case ON decision (case_id, created_at);
CREATE INDEX decision_plan ON decision (plan_id, kind);

-- What each approval covered: the hash that each plan of the case had then. A
-- plan whose facts drift loses its approvals, its siblings keep theirs.
CREATE TABLE plan_approval (
    plan_id     uuid NOT NULL REFERENCES plan,
    hash        text NOT NULL,
    principal   text NOT NULL,
    decision_id uuid NOT NULL REFERENCES decision,
    PRIMARY KEY (plan_id, hash, principal)
);

CREATE TABLE outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL,
    case_id       uuid NOT NULL REFERENCES lifecycle_case,
    plan_id       uuid REFERENCES plan,
    decision_id   uuid REFERENCES decision,
    tries         int NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    next_try_at   timestamptz NOT NULL,
    dispatched_at timestamptz,
    last_error    text NOT NULL DEFAULT ''
);
CREATE INDEX outbox_due ON outbox (next_try_at, id) WHERE dispatched_at IS NULL;
CREATE INDEX outbox_case ON outbox (case_id, id) WHERE dispatched_at IS NULL;

-- Unlogged: a lease needs no flush to disk, and after a crash buckets are full.
CREATE UNLOGGED TABLE rate_bucket (
    connection_id uuid NOT NULL,
    acting_user   text NOT NULL,
    tokens        double precision NOT NULL,
    granted       int NOT NULL, -- by the last lease, so that its statement can return it
    refilled_at   timestamptz NOT NULL,
    PRIMARY KEY (connection_id, acting_user)
);

-- Audit: a hash chain per stream; leaves of a Merkle log; signed checkpoints.
CREATE TABLE audit_record (
    stream    text COLLATE "C" NOT NULL, -- audit sorts streams by their bytes
    seq       bigint NOT NULL,
    prev_hash bytea NOT NULL CHECK (octet_length(prev_hash) = 32),
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32),
    body      bytea NOT NULL,
    PRIMARY KEY (stream, seq)
);
-- Records not yet sealed: a work list, not evidence. A record that is neither
-- here nor a leaf is found by the verifier.
CREATE TABLE audit_pending (
    stream text COLLATE "C" NOT NULL,
    seq    bigint NOT NULL,
    PRIMARY KEY (stream, seq)
);
CREATE TABLE audit_leaf (
    index  bigint PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    seq    bigint NOT NULL,
    hash   bytea NOT NULL CHECK (octet_length(hash) = 32),
    UNIQUE (stream, seq)
);
CREATE TABLE audit_node (
    index bigint PRIMARY KEY, -- tlog's stored hash index
    hash  bytea NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE TABLE audit_checkpoint (
    size       bigint PRIMARY KEY,
    note       text NOT NULL,
    created_at timestamptz NOT NULL
);

-- The seed of the key that signs checkpoints, sealed with the root key.
CREATE TABLE audit_key (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    sealed bytea NOT NULL
);

GRANT USAGE ON SCHEMA public TO sendoff_app;
GRANT SELECT ON goose_db_version TO sendoff_app;
GRANT SELECT, INSERT ON
    key_check, audit_key, decision, plan_approval, audit_record, audit_leaf, audit_node, audit_checkpoint TO sendoff_app;
GRANT SELECT, UPDATE ON engine_switch TO sendoff_app;
GRANT SELECT, INSERT, UPDATE ON
    api_token, connection, person, account, lifecycle_case, plan, plan_step, vendor_write,
    transfer, transfer_attempt, outbox, rate_bucket TO sendoff_app;
GRANT DELETE ON plan_step TO sendoff_app;
GRANT SELECT, INSERT, DELETE ON transfer_party, audit_pending TO sendoff_app;
GRANT USAGE ON SEQUENCE transfer_queue_seq TO sendoff_app;
