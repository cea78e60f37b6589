-- What a screen on the wall may show: how many, and roughly where. No id, number, name, address or exact place leaves
-- these functions, and restricted cases and drills are in none of them. The setting wall_paths holds the areas in which
-- the actor has case.wall or case.read.

-- Open cases and those that are past their time, by severity and status.
CREATE OR REPLACE FUNCTION wall_counts()
RETURNS TABLE (severity int, status text, n bigint, overdue bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := app_roots('wall_paths');
  hidden uuid[] := hidden_batches();
BEGIN
  RETURN QUERY
    SELECT i.severity::int, i.status::text, count(*), count(*) FILTER (WHERE app_now() >
      CASE WHEN i.status IN ('open', 'returned') THEN i.dispatch_due_at ELSE i.finish_due_at END)
    FROM incident i
    WHERE i.status <> 'closed' AND i.scope_path <@ ANY (roots) AND NOT i.restricted AND NOT i.drill
      AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden))
    GROUP BY 1, 2;
END $$;

-- Open cases on a lattice of 0.002 degrees (about 200 m): a screen in a hall must not lead to a door.
CREATE OR REPLACE FUNCTION wall_points(most int)
RETURNS TABLE (class_key text, severity int, status text, reported_at timestamptz, lon float8, lat float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := app_roots('wall_paths');
  hidden uuid[] := hidden_batches();
BEGIN
  RETURN QUERY
    SELECT i.class_key::text, i.severity::int, i.status::text, date_trunc('minute', i.reported_at),
           round((floor(ST_X(i.geom) / 0.002) * 0.002 + 0.001)::numeric, 3)::float8,
           round((floor(ST_Y(i.geom) / 0.002) * 0.002 + 0.001)::numeric, 3)::float8
    FROM incident i
    WHERE i.status <> 'closed' AND i.geom IS NOT NULL AND i.scope_path <@ ANY (roots) AND NOT i.restricted AND NOT i.drill
      AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden))
    ORDER BY i.severity, i.reported_at DESC
    LIMIT most;
END $$;

-- Open cases by the areas of one level, the busiest first.
CREATE OR REPLACE FUNCTION wall_areas(at_level text, most int)
RETURNS TABLE (area_id int, name text, n bigint, severe bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := app_roots('wall_paths');
  hidden uuid[] := hidden_batches();
BEGIN
  RETURN QUERY
    SELECT v.area_id, v.name, count(*), count(*) FILTER (WHERE i.severity <= 2)
    FROM incident i
    JOIN area_version v ON i.scope_path <@ v.path AND v.valid @> app_now()
    JOIN area a ON a.id = v.area_id AND a.level = at_level AND a.tree = 'admin'
    WHERE i.status <> 'closed' AND i.scope_path <@ ANY (roots) AND NOT i.restricted AND NOT i.drill
      AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden))
    GROUP BY v.area_id, v.name
    ORDER BY count(*) DESC, v.area_id
    LIMIT most;
END $$;

-- Alarms that nobody has acknowledged, by kind.
CREATE OR REPLACE FUNCTION wall_alarms()
RETURNS TABLE (kind text, n bigint, oldest timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := app_roots('wall_paths');
BEGIN
  RETURN QUERY
    SELECT a.kind::text, count(*), min(a.raised_at)
    FROM alarm a LEFT JOIN incident i ON i.id = a.incident_id
    WHERE a.status = 'raised' AND a.scope_path <@ ANY (roots) AND NOT a.drill AND NOT coalesce(i.restricted, false)
    GROUP BY 1;
END $$;

-- Reported and closed since a moment. Closures are sought among what was reported in the two months before, which an
-- index finds.
CREATE OR REPLACE FUNCTION wall_flow(since timestamptz)
RETURNS TABLE (reported bigint, closed bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := app_roots('wall_paths');
  hidden uuid[] := hidden_batches();
BEGIN
  RETURN QUERY
    SELECT count(*) FILTER (WHERE i.reported_at >= since), count(*) FILTER (WHERE i.closed_at >= since)
    FROM incident i
    WHERE i.reported_at >= since - interval '60 days' AND (i.reported_at >= since OR i.closed_at >= since)
      AND i.scope_path <@ ANY (roots) AND NOT i.restricted AND NOT i.drill
      AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden));
END $$;
