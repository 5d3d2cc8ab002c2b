-- +goose Up

-- What the employment that counts now says of a person stands with the person, so
-- that lists and manager chains answer from one index.
ALTER TABLE person
    ALTER COLUMN email DROP NOT NULL, -- somebody without a work address, or found to be another
    ADD COLUMN name text NOT NULL DEFAULT '',
    ADD COLUMN kind text NOT NULL DEFAULT '' CHECK (kind IN ('', 'employee', 'contractor')), -- '' = no source tells of them
    ADD COLUMN department text NOT NULL DEFAULT '',
    ADD COLUMN manager_id uuid REFERENCES person,
    ADD COLUMN last_day date, -- null = none is said
    ADD COLUMN merged_into uuid REFERENCES person,
    ADD COLUMN list_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(email, '')) STORED,
    ADD COLUMN updated_at timestamptz;
CREATE INDEX person_list ON person (list_key, id) WHERE merged_into IS NULL;
CREATE INDEX person_list_department ON person (department, list_key, id) WHERE merged_into IS NULL;
CREATE INDEX person_list_unmanaged ON person (list_key, id) WHERE merged_into IS NULL AND manager_id IS NULL AND kind <> '';
CREATE INDEX person_merged ON person (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX person_manager ON person (manager_id, list_key, id) WHERE manager_id IS NOT NULL;

-- Addresses a person has or had. One that a roster or an operator vouches for is
-- verified; one that a case was merely opened for is not. An address never moves
-- from one person to another: a hold on it would.
CREATE TABLE person_email (
    email     text COLLATE "C" PRIMARY KEY CHECK (email = lower(email) AND email <> ''), -- compared with account.login_key
    person_id uuid NOT NULL REFERENCES person,
    verified  boolean NOT NULL,
    since     timestamptz NOT NULL
);
CREATE INDEX person_email_person ON person_email (person_id);
INSERT INTO person_email SELECT email, id, false, created_at FROM person WHERE email <> '';

CREATE TABLE employment (
    source           text NOT NULL CHECK (source <> ''),
    external_id      text NOT NULL CHECK (external_id <> ''),
    person_id        uuid NOT NULL REFERENCES person,
    kind             text NOT NULL CHECK (kind IN ('employee', 'contractor')),
    name             text NOT NULL,
    email            text NOT NULL,
    employee_number  text NOT NULL DEFAULT '',
    hire_date        date,
    last_working_day date,
    terminated_on    date,
    leave_reason     text NOT NULL DEFAULT '',
    time_zone        text NOT NULL DEFAULT '',
    department       text NOT NULL DEFAULT '',
    site             text NOT NULL DEFAULT '',
    manager          text NOT NULL DEFAULT '', -- as the source writes it
    manager_id       uuid REFERENCES person,
    absent_since     timestamptz, -- a whole roster leaves it out; ends nothing
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (source, external_id)
);
CREATE INDEX employment_person ON employment (person_id, source);
CREATE INDEX employment_manager ON employment (manager_id) WHERE manager_id IS NOT NULL;
CREATE INDEX employment_number ON employment (employee_number) WHERE employee_number <> '';
CREATE INDEX employment_department ON employment (department, person_id);
CREATE INDEX employment_absent ON employment (source, person_id) WHERE absent_since IS NOT NULL;

CREATE TABLE department_owner (
    department text PRIMARY KEY CHECK (department <> ''),
    person_id  uuid NOT NULL REFERENCES person,
    updated_at timestamptz NOT NULL
);

-- Rows of rosters that are not applied, and managers that lead nowhere.
CREATE TABLE roster_issue (
    source      text NOT NULL,
    external_id text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('email_taken', 'email_twice', 'number_taken', 'number_ambiguous', 'two_cases',
        'manager_unknown', 'self_manager', 'manager_cycle')),
    persons     uuid[] NOT NULL,
    others      text[] NOT NULL, -- employments of the source that stand against it
    seen_at     timestamptz NOT NULL,
    PRIMARY KEY (source, external_id, kind)
);
-- Accounts that more than one person could hold, or whose person the evidence contradicts.
CREATE TABLE correlation_issue (
    account_id uuid PRIMARY KEY REFERENCES account,
    kind       text NOT NULL CHECK (kind IN ('ambiguous', 'contradiction')),
    persons    uuid[] NOT NULL,
    seen_at    timestamptz NOT NULL
);
-- Which of a vendor's attributes holds the employee number; no row = none.
CREATE TABLE correlation_rule (
    connection_id uuid PRIMARY KEY REFERENCES connection,
    attribute     text NOT NULL CHECK (attribute <> '')
);

GRANT SELECT, INSERT, UPDATE, DELETE ON person_email, employment, department_owner, roster_issue, correlation_issue, correlation_rule TO sendoff_app;
