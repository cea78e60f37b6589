-- What a caller may count in each of these areas: one pass over what is open, what is on duty and what stands there,
-- instead of three counts per area. The rules are those of the tables' policies in 20_policies.sql.

-- Cameras below one path, by the area of each level they lie in. A function of its own, because the planner knows how
-- many rows lie below one given path, and guesses for a list of them. Not for the web's role: it trusts `root`.
DROP FUNCTION IF EXISTS camera_counts(ltree, int[], uuid[]);
CREATE FUNCTION camera_counts(root ltree, levels int[], hidden uuid[])
RETURNS TABLE (path text, n bigint)
LANGUAGE plpgsql STABLE SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  RETURN QUERY
    -- As text, which can be hashed; paths would be sorted.
    SELECT subpath(c.scope_path, 0, l.level)::text, count(*)
    FROM camera c JOIN unnest(levels) AS l(level) ON nlevel(c.scope_path) >= l.level
    WHERE c.withdrawn_at IS NULL AND c.scope_path <@ root
      AND (c.batch_id IS NULL OR c.batch_id <> ALL (hidden))
    GROUP BY 1;
END $$;
REVOKE EXECUTE ON FUNCTION camera_counts(ltree, int[], uuid[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION area_counts(paths ltree[])
RETURNS TABLE (path ltree, open_incidents bigint, units_on_duty bigint, cameras bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  case_roots ltree[] := app_roots('case_paths');
  map_roots ltree[] := app_roots('map_paths');
  unit_roots ltree[] := CASE WHEN app_can('unit.read') THEN map_roots ELSE '{}' END;
  shared uuid[] := app_shared_incidents();
  own uuid[] := app_units();
  hidden uuid[] := hidden_batches();
  reads_restricted boolean := app_can('case.read_restricted');
  levels int[] := ARRAY(SELECT DISTINCT nlevel(p) FROM unnest(paths) AS p);
  above ltree := CASE WHEN cardinality(paths) = 1 THEN paths[1] ELSE coalesce(lca(paths), ''::ltree) END;
  camera_roots ltree[] := CASE WHEN app_can('camera.read') THEN ARRAY(
    SELECT DISTINCT CASE WHEN r <@ above THEN r ELSE above END
    FROM unnest(map_roots) AS r WHERE r <@ above OR above <@ r) ELSE '{}' END;
BEGIN
  RETURN QUERY
    WITH active AS MATERIALIZED (
      SELECT i.id, i.scope_path, i.restricted, i.batch_id FROM incident i WHERE i.status <> 'closed'),
    incidents AS (
      SELECT subpath(i.scope_path, 0, l.level) AS p, count(*) AS n
      FROM active i JOIN unnest(levels) AS l(level) ON nlevel(i.scope_path) >= l.level
      WHERE ((i.scope_path <@ ANY (case_roots) AND (NOT i.restricted OR reads_restricted)) OR i.id = ANY (shared))
        AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden))
      GROUP BY 1),
    units AS (
      SELECT subpath(u.scope_path, 0, l.level) AS p, count(*) AS n
      FROM unit u JOIN unnest(levels) AS l(level) ON nlevel(u.scope_path) >= l.level
      WHERE u.status IN ('free', 'busy') AND (u.id = ANY (own) OR u.scope_path <@ ANY (unit_roots))
      GROUP BY 1),
    eyes AS (
      SELECT c.path::ltree AS p, sum(c.n)::bigint AS n
      FROM unnest(camera_roots) AS r, LATERAL camera_counts(r, levels, hidden) c
      GROUP BY 1)
    SELECT w.p, coalesce(i.n, 0), coalesce(u.n, 0), coalesce(e.n, 0)
    FROM (SELECT DISTINCT unnest(paths)) AS w(p)
    LEFT JOIN incidents i ON i.p = w.p LEFT JOIN units u ON u.p = w.p LEFT JOIN eyes e ON e.p = w.p;
END $$;
