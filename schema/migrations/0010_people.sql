-- +goose Up

ALTER TABLE person ADD COLUMN name text NOT NULL DEFAULT '', ADD COLUMN updated_at timestamptz;

-- Addresses a person has or had. One that a roster or an operator vouches for is
-- verified; one that a case was merely opened for is not.
CREATE TABLE person_email (
    email     text PRIMARY KEY CHECK (email = lower(email) AND email <> ''),
    person_id uuid NOT NULL REFERENCES person,
    verified  boolean NOT NULL,
    since     timestamptz NOT NULL
);
CREATE INDEX person_email_person ON person_email (person_id);
INSERT INTO person_email SELECT email, id, false, created_at FROM person;

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
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (source, external_id)
);
CREATE INDEX employment_person ON employment (person_id);
CREATE INDEX employment_manager ON employment (manager_id) WHERE manager_id IS NOT NULL;
CREATE INDEX employment_number ON employment (employee_number) WHERE employee_number <> '';
CREATE INDEX employment_department ON employment (department, person_id);

CREATE TABLE department_owner (
    department text PRIMARY KEY CHECK (department <> ''),
    person_id  uuid NOT NULL REFERENCES person,
    updated_at timestamptz NOT NULL
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

GRANT SELECT, INSERT, UPDATE, DELETE ON person_email, employment, department_owner, correlation_issue, correlation_rule TO sendoff_app;
