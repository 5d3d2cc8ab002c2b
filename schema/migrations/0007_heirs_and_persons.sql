-- +goose Up

-- The plan that took over: what its predecessor's last request comes to is told
-- to that one.
ALTER TABLE plan ADD COLUMN superseded_by uuid REFERENCES plan;

-- Every person that an account was ever known to be of. A vendor renames logins,
-- and a hold on a person must not end with that.
CREATE TABLE person_account (
    account_id uuid NOT NULL REFERENCES account,
    person_id  uuid NOT NULL REFERENCES person,
    PRIMARY KEY (account_id, person_id)
);
INSERT INTO person_account SELECT id, person_id FROM account WHERE person_id IS NOT NULL;
INSERT INTO person_account SELECT a.id, p.id FROM account a JOIN person p ON p.email = lower(a.login) ON CONFLICT DO NOTHING;
GRANT SELECT, INSERT ON person_account TO sendoff_app;
