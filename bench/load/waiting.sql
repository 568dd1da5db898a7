-- Copies the Runs that wait until there are 10,000, each in a Session of its own, with its open question where it has one.

CREATE TEMP TABLE copy AS
SELECT run.id AS old_run, run.session_id AS old_session, gen_random_uuid() AS new_run, gen_random_uuid() AS new_session
FROM (SELECT *, row_number() OVER () AS number, count(*) OVER () AS many FROM run WHERE state = 'waiting') run
JOIN generate_series(1, 10000) n ON n > run.many AND n % run.many + 1 = run.number;

INSERT INTO session (id, title, agent, policy, head, created_at, active_at)
SELECT copy.new_session, title, agent, policy, head, created_at, active_at FROM copy JOIN session ON session.id = copy.old_session;

INSERT INTO participant (session_id, user_id, role, read_seq)
SELECT copy.new_session, user_id, role, read_seq FROM copy JOIN participant ON participant.session_id = copy.old_session;

INSERT INTO run SELECT made.* FROM copy JOIN run ON run.id = copy.old_run, LATERAL jsonb_populate_record(
    NULL::run, to_jsonb(run) || jsonb_build_object('id', copy.new_run, 'session_id', copy.new_session)) made;

INSERT INTO ask SELECT made.* FROM copy JOIN ask ON ask.run_id = copy.old_run, LATERAL jsonb_populate_record(
    NULL::ask, to_jsonb(ask) || jsonb_build_object('id', gen_random_uuid(), 'run_id', copy.new_run, 'session_id', copy.new_session)) made;
