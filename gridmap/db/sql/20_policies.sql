-- Row-level security on every table, forced. The owner migrates and owns the reading functions, the system role works
-- for everybody; the web's role sees what its scope says. Functions stand in sub-selects, so that each is called once
-- a statement and not once a row.

DO $do$
DECLARE t record;
BEGIN
  FOR t IN SELECT c.oid::regclass AS name, c.relname FROM pg_class c
           WHERE c.relnamespace = 'gridmap'::regnamespace AND c.relkind IN ('r', 'p')
             AND c.relname <> 'alembic_version'
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t.name);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t.name);
    EXECUTE format('DROP POLICY IF EXISTS service ON %s', t.name);
    EXECUTE format('CREATE POLICY service ON %s TO gridmap_owner, gridmap_system USING (true) WITH CHECK (true)', t.name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO gridmap_system', t.name);
    EXECUTE format('REVOKE ALL ON %s FROM gridmap_app', t.name);
  END LOOP;
END $do$;

GRANT USAGE ON ALL SEQUENCES IN SCHEMA gridmap TO gridmap_app, gridmap_system;
-- Programs that may not migrate still ask whether somebody has.
GRANT SELECT ON alembic_version TO gridmap_system;

-- set_policy(table, command, using, check): one named policy per table and command for the web's role.
CREATE OR REPLACE FUNCTION pg_temp.set_policy(tab text, cmd text, using_sql text, check_sql text) RETURNS void
LANGUAGE plpgsql AS
$$
DECLARE clauses text := '';
BEGIN
  EXECUTE format('GRANT %s ON %I TO gridmap_app', cmd, tab);
  EXECUTE format('DROP POLICY IF EXISTS app_%s ON %I', lower(cmd), tab);
  IF using_sql IS NOT NULL THEN clauses := clauses || ' USING (' || using_sql || ')'; END IF;
  IF check_sql IS NOT NULL THEN clauses := clauses || ' WITH CHECK (' || check_sql || ')'; END IF;
  EXECUTE format('CREATE POLICY app_%s ON %I FOR %s TO gridmap_app%s', lower(cmd), tab, cmd, clauses);
END $$;

-- What everybody who is logged in may know: areas, the public map, layer versions.
DO $do$
DECLARE tab text;
BEGIN
  FOREACH tab IN ARRAY ARRAY['area', 'area_set', 'area_version', 'area_leaf', 'layer_version', 'osm_extract',
                             'road', 'ground', 'building', 'gazetteer']
  LOOP
    PERFORM pg_temp.set_policy(tab, 'SELECT', '(SELECT app_known())', NULL);
  END LOOP;
END $do$;

-- Accounts, sessions, tokens, grants. Logging in goes through the functions of 30_auth.sql, before anybody is known.
SELECT pg_temp.set_policy('account', 'SELECT', '(SELECT app_known())', NULL);
SELECT pg_temp.set_policy('account', 'INSERT', NULL, '(SELECT app_can(''account.manage''))');
SELECT pg_temp.set_policy('account', 'UPDATE',
  'id = (SELECT app_account()) OR (SELECT app_can(''account.manage''))',
  'id = (SELECT app_account()) OR (SELECT app_can(''account.manage''))');
SELECT pg_temp.set_policy('account_session', 'SELECT',
  'account_id = (SELECT app_account()) OR (SELECT app_can(''account.manage''))', NULL);
SELECT pg_temp.set_policy('account_session', 'UPDATE',
  'account_id = (SELECT app_account()) OR (SELECT app_can(''account.manage''))',
  'account_id = (SELECT app_account()) OR (SELECT app_can(''account.manage''))');
SELECT pg_temp.set_policy('api_token', cmd, using_sql, check_sql)
FROM (VALUES ('SELECT', '(SELECT app_can(''token.manage''))', NULL),
             ('INSERT', NULL, '(SELECT app_can(''token.manage''))'),
             ('UPDATE', '(SELECT app_can(''token.manage''))', '(SELECT app_can(''token.manage''))')) AS p(cmd, using_sql, check_sql);
SELECT pg_temp.set_policy('password_reset', 'INSERT', NULL, '(SELECT app_can(''account.manage''))');
SELECT pg_temp.set_policy('password_reset', 'SELECT', '(SELECT app_can(''account.manage''))', NULL);
SELECT pg_temp.set_policy('password_reset', 'UPDATE', '(SELECT app_can(''account.manage''))', '(SELECT app_can(''account.manage''))');
SELECT pg_temp.set_policy('access_grant', 'SELECT',
  'account_id = (SELECT app_account()) OR (SELECT app_can(''grant.manage''))', NULL);
SELECT pg_temp.set_policy('access_grant', 'INSERT', NULL, '(SELECT app_can(''grant.manage''))');
SELECT pg_temp.set_policy('access_grant', 'UPDATE', '(SELECT app_can(''grant.manage''))', '(SELECT app_can(''grant.manage''))');
SELECT pg_temp.set_policy('share', 'SELECT', 'EXISTS (SELECT FROM incident i WHERE i.id = incident_id)', NULL);
SELECT pg_temp.set_policy('share', 'INSERT', NULL, '(SELECT app_known())');
SELECT pg_temp.set_policy('share', 'UPDATE', 'EXISTS (SELECT FROM incident i WHERE i.id = incident_id)',
  'EXISTS (SELECT FROM incident i WHERE i.id = incident_id)');

-- Staff, units and where they are.
SELECT pg_temp.set_policy('person', 'SELECT',
  '(SELECT app_can(''account.manage'')) OR ((SELECT app_can(''unit.read'')) AND scope_path <@ ANY ((SELECT app_paths(''map_paths''))::public.ltree[]))', NULL);
SELECT pg_temp.set_policy('unit', 'SELECT',
  'id = ANY ((SELECT app_units())::uuid[]) OR ((SELECT app_can(''unit.read'')) AND scope_path <@ ANY ((SELECT app_paths(''map_paths''))::public.ltree[]))', NULL);
SELECT pg_temp.set_policy('unit', 'UPDATE',
  'id = ANY ((SELECT app_units())::uuid[]) OR ((SELECT app_can(''case.dispatch'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[]))',
  'id = ANY ((SELECT app_units())::uuid[]) OR ((SELECT app_can(''case.dispatch'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[]))');
SELECT pg_temp.set_policy('unit_member', 'SELECT', 'EXISTS (SELECT FROM unit u WHERE u.id = unit_id)', NULL);
SELECT pg_temp.set_policy('unit_latest', 'SELECT', 'EXISTS (SELECT FROM unit u WHERE u.id = unit_id)', NULL);
SELECT pg_temp.set_policy('unit_latest', 'DELETE', 'unit_id = ANY ((SELECT app_units())::uuid[])', NULL);
-- Devices and their keys: an administrator's, and a crew's own.
SELECT pg_temp.set_policy('device', cmd, using_sql, check_sql)
FROM (VALUES
  ('SELECT', '(SELECT app_can(''token.manage'')) OR EXISTS (SELECT FROM unit u WHERE u.id = unit_id)', NULL),
  ('INSERT', NULL, '(SELECT app_can(''token.manage'')) OR unit_id = ANY ((SELECT app_units())::uuid[])'),
  ('UPDATE', '(SELECT app_can(''token.manage'')) OR unit_id = ANY ((SELECT app_units())::uuid[])',
             '(SELECT app_can(''token.manage'')) OR unit_id = ANY ((SELECT app_units())::uuid[])')) AS p(cmd, using_sql, check_sql);
SELECT pg_temp.set_policy('device_key', cmd, using_sql, check_sql)
FROM (VALUES
  ('SELECT', 'EXISTS (SELECT FROM device d WHERE d.id = device_id AND ((SELECT app_can(''token.manage'')) OR d.unit_id = ANY ((SELECT app_units())::uuid[])))', NULL),
  ('INSERT', NULL, 'EXISTS (SELECT FROM device d WHERE d.id = device_id AND ((SELECT app_can(''token.manage'')) OR d.unit_id = ANY ((SELECT app_units())::uuid[])))'),
  ('UPDATE', 'EXISTS (SELECT FROM device d WHERE d.id = device_id AND ((SELECT app_can(''token.manage'')) OR d.unit_id = ANY ((SELECT app_units())::uuid[])))',
             'EXISTS (SELECT FROM device d WHERE d.id = device_id AND ((SELECT app_can(''token.manage'')) OR d.unit_id = ANY ((SELECT app_units())::uuid[])))')) AS p(cmd, using_sql, check_sql);
-- The counts are of things, for their upkeep: whoever keeps the devices sees them, and the crew its own.
SELECT pg_temp.set_policy('device_refusal', 'SELECT',
  'EXISTS (SELECT FROM device d WHERE d.id = device_id AND ((SELECT app_can(''token.manage'')) OR d.unit_id = ANY ((SELECT app_units())::uuid[])))', NULL);
SELECT pg_temp.set_policy('device_state', 'SELECT', 'unit_id = ANY ((SELECT app_units())::uuid[])', NULL);
SELECT pg_temp.set_policy('device_state', 'DELETE', 'unit_id = ANY ((SELECT app_units())::uuid[])', NULL);
SELECT pg_temp.set_policy('duty', 'SELECT', 'EXISTS (SELECT FROM unit u WHERE u.id = unit_id)', NULL);
SELECT pg_temp.set_policy('duty', 'INSERT', NULL, 'unit_id = ANY ((SELECT app_units())::uuid[])');
SELECT pg_temp.set_policy('duty', 'UPDATE', 'unit_id = ANY ((SELECT app_units())::uuid[])', 'unit_id = ANY ((SELECT app_units())::uuid[])');

-- Closed roads: read on one's map, drawn where one writes. The routing reads their shapes past this (58_closures.sql).
SELECT pg_temp.set_policy('closure', 'SELECT',
  '(SELECT app_can(''area.read'')) AND scope_path <@ ANY ((SELECT app_paths(''map_paths''))::public.ltree[])', NULL);
SELECT pg_temp.set_policy('closure', 'INSERT', NULL,
  '(SELECT app_can(''closure.edit'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])');
SELECT pg_temp.set_policy('closure', 'UPDATE',
  '(SELECT app_can(''closure.edit'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])',
  '(SELECT app_can(''closure.edit'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])');

-- Reports, incidents, dispatches.
SELECT pg_temp.set_policy('incident', 'SELECT',
  '((scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[]) AND (NOT restricted OR (SELECT app_can(''case.read_restricted''))))
    OR id = ANY ((SELECT app_shared_incidents())::uuid[]))
   AND (batch_id IS NULL OR batch_id <> ALL ((SELECT hidden_batches())::uuid[]))', NULL);
SELECT pg_temp.set_policy('incident', 'INSERT', NULL, '(SELECT app_can(''case.report''))');
SELECT pg_temp.set_policy('incident', 'UPDATE',
  '(scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[]) AND (NOT restricted OR (SELECT app_can(''case.read_restricted''))))
    OR id = ANY ((SELECT app_shared_incidents())::uuid[])',
  '(SELECT app_known())');
DO $do$
DECLARE tab text;
BEGIN
  FOREACH tab IN ARRAY ARRAY['report', 'incident_event']
  LOOP
    PERFORM pg_temp.set_policy(tab, 'SELECT', 'EXISTS (SELECT FROM incident i WHERE i.id = incident_id)', NULL);
    PERFORM pg_temp.set_policy(tab, 'INSERT', NULL, '(SELECT app_known())');
  END LOOP;
END $do$;
SELECT pg_temp.set_policy('contact', 'SELECT',
  '(SELECT app_can(''contact.read'')) AND EXISTS (SELECT FROM report r WHERE r.id = report_id)', NULL);
SELECT pg_temp.set_policy('contact', 'INSERT', NULL, '(SELECT app_can(''case.report''))');
SELECT pg_temp.set_policy('dispatch', 'SELECT',
  'unit_id = ANY ((SELECT app_units())::uuid[]) OR EXISTS (SELECT FROM incident i WHERE i.id = incident_id)', NULL);
SELECT pg_temp.set_policy('dispatch', 'INSERT', NULL, '(SELECT app_can(''case.dispatch''))');
SELECT pg_temp.set_policy('dispatch', 'UPDATE',
  'unit_id = ANY ((SELECT app_units())::uuid[]) OR ((SELECT app_can(''case.dispatch'')) AND EXISTS (SELECT FROM incident i WHERE i.id = incident_id))',
  '(SELECT app_known())');
SELECT pg_temp.set_policy('dispatch_leg', 'SELECT', 'EXISTS (SELECT FROM dispatch d WHERE d.id = dispatch_id)', NULL);

-- Work, alarms, what screens hear, pictures, the audit trail.
SELECT pg_temp.set_policy('task', 'SELECT',
  'scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[]) OR id = ANY ((SELECT app_shared_tasks())::uuid[])
   OR assignee_account_id = (SELECT app_account()) OR assignee_unit_id = ANY ((SELECT app_units())::uuid[])', NULL);
SELECT pg_temp.set_policy('task', 'INSERT', NULL, 'scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])');
SELECT pg_temp.set_policy('task', 'UPDATE',
  'scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[]) OR assignee_account_id = (SELECT app_account())
   OR assignee_unit_id = ANY ((SELECT app_units())::uuid[])
   OR id = ANY ((SELECT app_shared_tasks())::uuid[])', '(SELECT app_known())');
SELECT pg_temp.set_policy('alarm', 'SELECT',
  'scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[]) AND (incident_id IS NULL OR EXISTS (SELECT FROM incident i WHERE i.id = incident_id))', NULL);
SELECT pg_temp.set_policy('alarm', 'INSERT', NULL, '(SELECT app_known())');
SELECT pg_temp.set_policy('alarm', 'UPDATE',
  '(SELECT app_can(''alarm.acknowledge'')) AND scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])', '(SELECT app_known())');
SELECT pg_temp.set_policy('timer', cmd, using_sql, check_sql)
FROM (VALUES ('SELECT', '(SELECT app_known())', NULL), ('INSERT', NULL, '(SELECT app_known())'),
             ('UPDATE', '(SELECT app_known())', '(SELECT app_known())'),
             ('DELETE', '(SELECT app_known())', NULL)) AS p(cmd, using_sql, check_sql);
SELECT pg_temp.set_policy('outbox', 'INSERT', NULL, '(SELECT app_known())');
SELECT pg_temp.set_policy('blob', 'SELECT',
  'created_by = (SELECT app_account()) OR EXISTS (SELECT FROM incident i WHERE i.id = incident_id)', NULL);
SELECT pg_temp.set_policy('blob', 'INSERT', NULL, '(SELECT app_known())');
SELECT pg_temp.set_policy('audit', 'SELECT', '(SELECT app_can(''audit.read''))', NULL);
SELECT pg_temp.set_policy('audit', 'INSERT', NULL, 'seal_no IS NULL AND hash IS NULL');
SELECT pg_temp.set_policy('import_batch', 'SELECT', '(SELECT app_can(''import.run''))', NULL);

-- Cameras and generic layers.
DO $do$
DECLARE tab text;
BEGIN
  FOREACH tab IN ARRAY ARRAY['camera', 'feature']
  LOOP
    PERFORM pg_temp.set_policy(tab, 'SELECT',
      format('(%s OR (SELECT app_can(''camera.read''))) AND scope_path <@ ANY ((SELECT app_paths(''map_paths''))::public.ltree[])
       AND (batch_id IS NULL OR batch_id <> ALL ((SELECT hidden_batches())::uuid[]))',
       CASE tab WHEN 'feature' THEN 'true' ELSE 'false' END), NULL);
  END LOOP;
END $do$;

-- Rosters, shifts, welfare, major events, patrol routes.
SELECT pg_temp.set_policy('roster_entry', 'SELECT',
  'EXISTS (SELECT FROM unit u WHERE u.id = unit_id)
   OR unit_id IN (SELECT c.unit_id FROM colleague_units() c)', NULL);
SELECT pg_temp.set_policy('roster_entry', 'INSERT', NULL,
  '(SELECT app_can(''roster.edit'')) AND EXISTS (SELECT FROM unit u WHERE u.id = unit_id AND u.scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[]))');
SELECT pg_temp.set_policy('roster_entry', 'UPDATE',
  '(SELECT app_can(''roster.edit'')) AND EXISTS (SELECT FROM unit u WHERE u.id = unit_id AND u.scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[]))',
  '(SELECT app_can(''roster.edit''))');
SELECT pg_temp.set_policy('roster_swap', 'SELECT',
  'from_unit_id = ANY ((SELECT app_units())::uuid[]) OR to_unit_id = ANY ((SELECT app_units())::uuid[])
   OR EXISTS (SELECT FROM unit u WHERE u.id = from_unit_id)', NULL);
SELECT pg_temp.set_policy('roster_swap', 'INSERT', NULL, 'from_unit_id = ANY ((SELECT app_units())::uuid[])');
SELECT pg_temp.set_policy('roster_swap', 'UPDATE',
  'from_unit_id = ANY ((SELECT app_units())::uuid[]) OR to_unit_id = ANY ((SELECT app_units())::uuid[])
   OR ((SELECT app_can(''roster.edit'')) AND EXISTS (SELECT FROM unit u WHERE u.id = from_unit_id))', '(SELECT app_known())');
SELECT pg_temp.set_policy('shift_handover', 'SELECT',
  'from_account_id = (SELECT app_account()) OR scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])', NULL);
SELECT pg_temp.set_policy('shift_handover', 'INSERT', NULL,
  '(SELECT app_can(''case.handle'')) AND from_account_id = (SELECT app_account())');
SELECT pg_temp.set_policy('shift_handover', 'UPDATE',
  '(SELECT app_can(''case.handle'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])', '(SELECT app_known())');
SELECT pg_temp.set_policy('welfare_question', 'SELECT', 'unit_id = ANY ((SELECT app_units())::uuid[])', NULL);
SELECT pg_temp.set_policy('welfare_question', 'UPDATE',
  'unit_id = ANY ((SELECT app_units())::uuid[])', 'unit_id = ANY ((SELECT app_units())::uuid[])');
SELECT pg_temp.set_policy('sos_call', 'SELECT',
  'unit_id = ANY ((SELECT app_units())::uuid[]) OR ((SELECT app_can(''alarm.acknowledge''))
   AND (scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[]) OR EXISTS (SELECT FROM unit u WHERE u.id = unit_id)))', NULL);
SELECT pg_temp.set_policy('sos_call', 'INSERT', NULL, 'unit_id = ANY ((SELECT app_units())::uuid[])');
SELECT pg_temp.set_policy('sos_call', 'UPDATE',
  'unit_id = ANY ((SELECT app_units())::uuid[])', 'unit_id = ANY ((SELECT app_units())::uuid[])');
SELECT pg_temp.set_policy('major_event', 'SELECT',
  'scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[]) OR EXISTS (SELECT FROM incident i WHERE i.major_id = major_event.id)', NULL);
SELECT pg_temp.set_policy('major_event', 'INSERT', NULL,
  '(SELECT app_can(''case.handle'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])');
SELECT pg_temp.set_policy('major_event', 'UPDATE',
  '(SELECT app_can(''case.handle'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])', '(SELECT app_known())');
SELECT pg_temp.set_policy('route_cover', 'SELECT', 'EXISTS (SELECT FROM feature f WHERE f.id = feature_id)', NULL);
SELECT pg_temp.set_policy('feature', 'INSERT', NULL,
  'layer = ''routes'' AND (SELECT app_can(''route.edit'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])');
SELECT pg_temp.set_policy('feature', 'UPDATE',
  'layer = ''routes'' AND source = ''drawn'' AND (SELECT app_can(''route.edit'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])',
  'layer = ''routes''');
-- Whoever pressed the button sees that a seat has taken note of it.
SELECT pg_temp.set_policy('alarm', 'SELECT',
  '(scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[]) AND (incident_id IS NULL OR EXISTS (SELECT FROM incident i WHERE i.id = incident_id)))
   OR (kind = ''sos'' AND subject_kind = ''unit'' AND subject_id = ANY ((SELECT app_units())::uuid[]))', NULL);

-- Response plans and what they start: whoever may see the incident, and of a call-out the units that are asked.
SELECT pg_temp.set_policy('plan_version', 'SELECT', '(SELECT app_known())', NULL);
SELECT pg_temp.set_policy('plan_version', 'INSERT', NULL, '(SELECT app_can(''response.edit''))');
DO $do$
DECLARE tab text;
BEGIN
  FOREACH tab IN ARRAY ARRAY['plan_run', 'callout', 'hand_over']
  LOOP
    PERFORM pg_temp.set_policy(tab, 'SELECT', 'EXISTS (SELECT FROM incident i WHERE i.id = incident_id)', NULL);
    PERFORM pg_temp.set_policy(tab, 'INSERT', NULL,
      '(SELECT app_can(''case.dispatch'')) AND EXISTS (SELECT FROM incident i WHERE i.id = incident_id)');
    PERFORM pg_temp.set_policy(tab, 'UPDATE', 'EXISTS (SELECT FROM incident i WHERE i.id = incident_id)',
      'EXISTS (SELECT FROM incident i WHERE i.id = incident_id)');
  END LOOP;
END $do$;
SELECT pg_temp.set_policy('notice', 'SELECT',
  'unit_id = ANY ((SELECT app_units())::uuid[]) OR area_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])', NULL);
SELECT pg_temp.set_policy('notice', 'UPDATE', 'unit_id = ANY ((SELECT app_units())::uuid[])',
  'unit_id = ANY ((SELECT app_units())::uuid[])');
SELECT pg_temp.set_policy('notice', 'INSERT', NULL,
  '(SELECT app_can(''case.dispatch'')) AND EXISTS (SELECT FROM incident i WHERE i.id = incident_id)');
SELECT pg_temp.set_policy('agreement', cmd, using_sql, check_sql)
FROM (VALUES ('SELECT', '(SELECT app_known())', NULL),
             ('INSERT', NULL, '(SELECT app_can(''agreement.edit''))'),
             ('UPDATE', '(SELECT app_can(''agreement.edit''))', '(SELECT app_can(''agreement.edit''))')) AS p(cmd, using_sql, check_sql);
SELECT pg_temp.set_policy('message', 'SELECT', 'EXISTS (SELECT FROM dispatch d WHERE d.id = dispatch_id)', NULL);
-- A checklist's step is seen by whoever sees its incident.
SELECT pg_temp.set_policy('task', 'SELECT',
  '(scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[]) OR id = ANY ((SELECT app_shared_tasks())::uuid[])
    OR assignee_account_id = (SELECT app_account()) OR assignee_unit_id = ANY ((SELECT app_units())::uuid[]))
   AND (subject_kind IS DISTINCT FROM ''incident'' OR EXISTS (SELECT FROM incident i WHERE i.id = subject_id))', NULL);

-- Fences. One of an incident follows the incident; what units did about a fence is for who may see both. The states
-- behind the events are the positions process's alone.
SELECT pg_temp.set_policy('fence', 'SELECT',
  '((SELECT app_can(''fence.read'')) AND scope_path <@ ANY ((SELECT app_paths(''map_paths''))::public.ltree[])
    AND (incident_id IS NULL OR EXISTS (SELECT FROM incident i WHERE i.id = incident_id)))
   OR ((SELECT app_can(''case.dispatch'')) AND EXISTS (SELECT FROM incident i WHERE i.id = incident_id))', NULL);
SELECT pg_temp.set_policy('fence', cmd, using_sql, check_sql)
FROM (SELECT '((SELECT app_can(''fence.edit'')) AND scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[]))
              OR (incident_id IS NOT NULL AND (SELECT app_can(''case.dispatch'')) AND EXISTS (SELECT FROM incident i WHERE i.id = incident_id))') AS r(rule),
     LATERAL (VALUES ('INSERT', NULL, r.rule), ('UPDATE', r.rule, r.rule)) AS p(cmd, using_sql, check_sql);
SELECT pg_temp.set_policy('fence_event', 'SELECT',
  '(SELECT app_can(''fence.read'')) AND (SELECT app_can(''unit.read'')) AND EXISTS (SELECT FROM fence f WHERE f.id = fence_id)
   AND EXISTS (SELECT FROM unit u WHERE u.id = unit_id)', NULL);

-- Cover is told to whoever sees the units of the area; only the worker judges it.
SELECT pg_temp.set_policy('cover_state', 'SELECT',
  '(SELECT app_can(''unit.read'')) AND scope_path <@ ANY ((SELECT app_paths(''map_paths''))::public.ltree[])', NULL);
SELECT pg_temp.set_policy('cover_run', 'SELECT', '(SELECT app_can(''unit.read''))', NULL);

-- An inspection may also be asked for by who reads risk there.
SELECT pg_temp.set_policy('task', 'INSERT', NULL,
  'scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[])
   OR (kind = ''inspection'' AND (SELECT app_can(''risk.run'')) AND scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[]))');
-- Who asked may take it back.
SELECT pg_temp.set_policy('task', 'UPDATE',
  'scope_path <@ ANY ((SELECT app_paths(''write_paths''))::public.ltree[]) OR assignee_account_id = (SELECT app_account())
   OR assignee_unit_id = ANY ((SELECT app_units())::uuid[])
   OR id = ANY ((SELECT app_shared_tasks())::uuid[])
   OR (kind = ''inspection'' AND params ->> ''asked_by_id'' = (SELECT app_account())::text)', '(SELECT app_known())');
-- Risk. A run is read whole, so it takes a sight of its whole area; a line of its list takes a sight of that line's.
SELECT pg_temp.set_policy('risk_run', 'SELECT',
  'made_at IS NOT NULL AND (SELECT app_can(''risk.read'')) AND scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])', NULL);
SELECT pg_temp.set_policy('risk_surface', 'SELECT', 'EXISTS (SELECT FROM risk_run r WHERE r.id = run_id)', NULL);
SELECT pg_temp.set_policy('risk_area', 'SELECT',
  '(SELECT app_can(''risk.read'')) AND scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])', NULL);
SELECT pg_temp.set_policy('risk_release', 'SELECT',
  '(SELECT app_can(''risk.read'')) AND scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])', NULL);
SELECT pg_temp.set_policy('risk_job', 'SELECT',
  '(SELECT app_can(''risk.read'')) AND scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])', NULL);
SELECT pg_temp.set_policy('risk_job', 'INSERT', NULL,
  '(SELECT app_can(''risk.run'')) AND scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])');
-- A silence is seen by all whom it keeps from hearing.
SELECT pg_temp.set_policy('risk_mute', 'SELECT',
  '(SELECT app_can(''risk.read'')) AND (scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])
    OR scope_path @> ANY ((SELECT app_paths(''case_paths''))::public.ltree[]))', NULL);
SELECT pg_temp.set_policy('risk_mute', cmd, using_sql, check_sql)
FROM (SELECT '(SELECT app_can(''alarm.acknowledge'')) AND scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])') AS own(rule),
     LATERAL (VALUES ('INSERT', NULL, own.rule), ('UPDATE', own.rule, own.rule)) AS p(cmd, using_sql, check_sql);
SELECT pg_temp.set_policy('risk_rule_record', 'SELECT',
  '(SELECT app_can(''risk.read'')) AND scope_path <@ ANY ((SELECT app_paths(''case_paths''))::public.ltree[])', NULL);

DROP FUNCTION pg_temp.set_policy(text, text, text, text);
