-- Runs over more than the caller may see whole, but which hold areas of theirs: which run it is and nothing that it
-- says. Its lines are held by the policy of risk_area; its surface, scores and snapshot stay with who sees it whole.
CREATE OR REPLACE FUNCTION risk_runs_above()
RETURNS TABLE (id uuid, area_id int, horizon text, origin_on date, horizon_days smallint, looks_back boolean,
               made_at timestamptz, seconds float8, params jsonb, outcome_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT r.id, r.area_id, r.horizon, r.origin_on, r.horizon_days, r.looks_back, r.made_at, r.seconds,
         jsonb_build_object('levels', r.params -> 'levels', 'exposure', r.params -> 'exposure'), r.outcome_at
  FROM risk_run r
  WHERE r.made_at IS NOT NULL AND app_can('risk.read')
    AND r.scope_path @> ANY (app_paths('case_paths')) AND NOT r.scope_path <@ ANY (app_paths('case_paths'))
$$;
