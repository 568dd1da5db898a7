-- Fills an empty, migrated database: 200,001 Sessions, 150,000 Runs, 1.3 million Events. 198,000 Sessions belong to 5,000
-- people, and 100,000 of them have an answer; 2,000 old ones belong to “many”. The Session of “long” has 100,000 Messages.
-- Ids are hashes of a name, so that they are spread as random ones are, and a measure can name a row.

CREATE FUNCTION pg_temp.key(name text) RETURNS uuid LANGUAGE sql IMMUTABLE AS 'SELECT md5(name)::uuid';

INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name, email, date_joined)
SELECT name, '', false, false, true, '', '', '', now()
FROM (SELECT 'many' AS name UNION ALL SELECT 'long' UNION ALL SELECT 'person ' || n FROM generate_series(1, 5000) n) people;

-- Each Session, with its age in minutes.
CREATE TEMP TABLE made AS
SELECT pg_temp.key('session ' || n) AS id, 'person ' || 1 + n % 5000 AS owner, n AS age, n <= 100000 AS answered
FROM generate_series(1, 198000) n
UNION ALL SELECT pg_temp.key('many ' || n), 'many', 300000 + n, false FROM generate_series(1, 2000) n
UNION ALL SELECT pg_temp.key('long'), 'long', 1, false;

INSERT INTO session (id, title, agent, policy, head, created_at, active_at)
SELECT id, 'About subject ' || age, 'guide', 'queue', CASE WHEN owner = 'long' THEN 300002 WHEN answered THEN 8 ELSE 2 END,
       now() - age * interval '1 minute', now() - age * interval '1 minute'
FROM made;
INSERT INTO participant (session_id, user_id, role, read_seq)
SELECT made.id, auth_user.id, 'owner', 2 FROM made JOIN auth_user ON username = owner;

-- One row for each answer: the seq before it, the name of what it makes, and of what was made before it.
CREATE TEMP TABLE answer AS
SELECT id AS session, owner, 2 AS after, age AS minutes, 'session ' || age AS name, NULL AS before FROM made WHERE answered
UNION ALL SELECT pg_temp.key('long'), 'long', 2 + 6 * (n - 1), 50001 - n, 'long ' || n, CASE WHEN n > 1 THEN 'long ' || n - 1 END
FROM generate_series(1, 50000) n;

INSERT INTO run (id, session_id, agent, replies_to, asked_seq, state, attempt, attempt_seq, handed_back, fence, worker,
                 requested_at, started_at, ended_at, compacted_at, error)
SELECT pg_temp.key('run ' || name), session, 'guide', pg_temp.key('question ' || name), after + 2, 'completed', 1, after + 3, 0, 1,
       'worker', moment, moment, moment, moment, ''
FROM answer, LATERAL (SELECT now() - minutes * interval '1 minute' AS moment) at;

INSERT INTO event (session_id, seq, kind, at, actor_kind, actor_id, actor_name, run_id, message_id, data)
SELECT id, seq, kind, now() - age * interval '1 minute', 'user', '1', owner, NULL, NULL, data
FROM made, LATERAL (VALUES
    (1, 'session.created', json_build_object('title', '', 'agent', 'guide', 'policy', 'queue')),
    (2, 'participant.joined', json_build_object('user', '1', 'name', owner, 'role', 'owner'))
) fact(seq, kind, data);

INSERT INTO event (session_id, seq, kind, at, actor_kind, actor_id, actor_name, run_id, message_id, client_id, data)
SELECT session, after + place, kind, now() - minutes * interval '1 minute', CASE WHEN place <= 2 THEN 'user' ELSE 'agent' END,
       CASE WHEN place <= 2 THEN auth_user.id::text ELSE 'guide' END, CASE WHEN place <= 2 THEN owner ELSE 'Guide' END,
       CASE WHEN place > 1 THEN run END, CASE WHEN place = 1 THEN question WHEN place IN (4, 5) THEN reply END,
       CASE WHEN place = 1 THEN pg_temp.key('command ' || name) END, data
FROM (
    SELECT *, pg_temp.key('run ' || name) AS run, pg_temp.key('question ' || name) AS question, pg_temp.key('reply ' || name) AS reply
    FROM answer
) answer JOIN auth_user ON username = owner, LATERAL (VALUES
    (1, 'message.posted', json_build_object('message', question, 'parent', pg_temp.key('reply ' || before), 'role', 'user', 'state', 'sent',
        'client_id', NULL, 'device', NULL, 'parts', json_build_array(json_build_object('type', 'text', 'text', repeat('Why is that? ', 10))))),
    (2, 'run.requested', json_build_object('run', run, 'agent', 'guide', 'parent', NULL, 'replies_to', question)),
    (3, 'run.started', json_build_object('attempt', 1)),
    (4, 'message.started', json_build_object('message', reply, 'parent', question, 'role', 'assistant', 'agent', 'guide')),
    (5, 'message.completed', json_build_object('message', reply, 'state', 'complete', 'parts',
        json_build_array(json_build_object('type', 'text', 'text', repeat('Because it is kept in a log. ', 25))))),
    (6, 'run.completed', json_build_object())
) fact(place, kind, data);
