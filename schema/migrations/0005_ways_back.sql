-- +goose Up

-- Steps with parameters, steps that an operator left out, and what an undo needs.
ALTER TABLE plan_step ADD COLUMN params jsonb NOT NULL DEFAULT '{}';
ALTER TABLE plan_step DROP CONSTRAINT plan_step_state_check;
ALTER TABLE plan_step ADD CONSTRAINT plan_step_state_check
    CHECK (state IN ('pending', 'running', 'done', 'skipped', 'waived', 'cancelled'));

ALTER TABLE plan ADD COLUMN memberships jsonb; -- taken away by remove_from_groups
ALTER TABLE plan ADD COLUMN reactivate boolean NOT NULL DEFAULT false; -- the transfer may make its source active for the call
ALTER TABLE plan ADD COLUMN window_open timestamptz; -- since when the source is active for a call

ALTER TABLE transfer ADD COLUMN last_cause text NOT NULL DEFAULT '';
ALTER TABLE transfer DROP CONSTRAINT transfer_state_check;
ALTER TABLE transfer ADD CONSTRAINT transfer_state_check
    CHECK (state IN ('waiting', 'intended', 'sent', 'refused', 'busy', 'settling', 'proven', 'presumed', 'stalled', 'skipped', 'given_up'));

ALTER TABLE decision DROP CONSTRAINT decision_kind_check;
ALTER TABLE decision ADD CONSTRAINT decision_kind_check CHECK (kind IN (
    'approve', 'resume', 'cancel', 'send_again', 'reactivate', 'waive', 'move_date', 'set_receiver', 'complete', 'release_lane', 'supersede'));
ALTER TABLE decision ADD COLUMN step text NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN to_at timestamptz;
ALTER TABLE decision ADD COLUMN receivers text[] NOT NULL DEFAULT '{}';

-- Holds and protections. Deny wins: a row that is live stops what it forbids.
CREATE TABLE restriction (
    id            uuid PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('hold', 'protection')),
    subject       text NOT NULL CHECK (subject IN ('account', 'person', 'pattern')),
    connection_id uuid REFERENCES connection,
    external_id   text NOT NULL DEFAULT '',
    email         text NOT NULL DEFAULT '' CHECK (email = lower(email)),
    pattern       text NOT NULL DEFAULT '' CHECK (pattern = lower(pattern)),
    like_pattern  text NOT NULL DEFAULT '', -- the pattern as an operand of LIKE
    matter        text NOT NULL DEFAULT '',
    reason        text NOT NULL CHECK (reason <> ''),
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz,
    ended_by      text NOT NULL DEFAULT '',
    ended_at      timestamptz,
    end_reason    text NOT NULL DEFAULT '',
    CHECK (subject <> 'account' OR (connection_id IS NOT NULL AND external_id <> '')),
    CHECK (subject <> 'person' OR email <> ''),
    CHECK (subject <> 'pattern' OR pattern <> '')
);
CREATE INDEX restriction_list ON restriction (kind, created_at DESC, id DESC);
CREATE INDEX restriction_account ON restriction (external_id, connection_id) WHERE subject = 'account' AND ended_at IS NULL;
CREATE INDEX restriction_person ON restriction (email) WHERE subject = 'person' AND ended_at IS NULL;
CREATE INDEX restriction_pattern ON restriction (id) WHERE subject = 'pattern' AND ended_at IS NULL;

-- An admin's word that a connection whose holds cannot be read has none.
CREATE TABLE no_holds_declaration (
    connection_id uuid PRIMARY KEY REFERENCES connection,
    reason        text NOT NULL CHECK (reason <> ''),
    declared_by   text NOT NULL,
    declared_at   timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    withdrawn_at  timestamptz
);

-- Templates from files; those built in stand in the program. A change makes
-- another version, and plans keep the one they were made from.
CREATE TABLE template (
    name       text NOT NULL CHECK (name <> ''),
    version    int NOT NULL CHECK (version > 0),
    body       jsonb NOT NULL,
    source     text NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    removed    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (name, version)
);

-- A plan that takes over from one of a lower cause takes its lanes too.
GRANT UPDATE ON transfer_party TO sendoff_app;
GRANT SELECT, INSERT, UPDATE ON restriction, no_holds_declaration, template TO sendoff_app;
