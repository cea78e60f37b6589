-- The queue and the history past row-level security, by the very rule of the incident's policy in 20_policies.sql:
-- beneath it no filter by area reaches an index, and a small scope reads the whole table. Gives ids in order; the rows are
-- then read beneath the policy. tests/db/test_scope_equivalence.py holds the two equal.

-- How many incidents a scope may hold so that reading them all and sorting beats walking back through time until a page
-- is full; the two cost the same at about sqrt(page * rows).
CREATE OR REPLACE FUNCTION incident_narrow_rows() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 10000';

-- A county or more is taken for wide without a look.
CREATE OR REPLACE FUNCTION incident_scope_is_narrow(roots ltree[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = gridmap, public, pg_temp SET enable_seqscan = off AS
$$
  SELECT NOT EXISTS (SELECT FROM unnest(roots) r WHERE nlevel(r) <= 3) AND incident_narrow_rows() >=
    (SELECT count(*) FROM (SELECT FROM incident i WHERE i.scope_path <@ ANY (roots) LIMIT incident_narrow_rows() + 1) AS some_rows)
$$;
REVOKE EXECUTE ON FUNCTION incident_scope_is_narrow(ltree[]) FROM PUBLIC;

-- Words are looked for row by row: two million of them take longer than a page waits. Up to so many rows it does not matter.
CREATE OR REPLACE FUNCTION incident_words_rows() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 200000';

-- The scope of the actor inside one area: the area itself where they hold all of it, else what they hold of it.
CREATE OR REPLACE FUNCTION roots_within(roots ltree[], area ltree) RETURNS ltree[]
LANGUAGE sql IMMUTABLE AS
$$
  SELECT CASE WHEN area IS NULL THEN roots WHEN area <@ ANY (roots) THEN ARRAY[area]
              ELSE coalesce((SELECT array_agg(r) FROM unnest(roots) r WHERE r <@ area), '{}') END
$$;

-- Whether a search for words has to keep to a span of time: a large table, and a scope that is not read as a whole.
CREATE OR REPLACE FUNCTION incident_words_need_span(area ltree) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT (SELECT reltuples FROM pg_class WHERE oid = 'incident'::regclass) > incident_words_rows()
    AND NOT incident_scope_is_narrow(roots_within(app_roots('case_paths'), area))
$$;

-- Which incidents match, as SQL over `incident` called i with the arguments of list_incidents below. Null asks for all.
-- `wanted`: statuses, classes, severities, area, since, until, box (west, south, east, north), words, unlocated, drills.
CREATE OR REPLACE FUNCTION incident_matches(wanted jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS
$$
  SELECT concat_ws(' AND ', 'true',
    CASE WHEN wanted ? 'statuses' THEN 'i.status = ANY ($4)' END,
    CASE WHEN wanted ? 'statuses' AND NOT wanted -> 'statuses' ? 'closed' THEN 'i.status <> ''closed''' END,
    CASE WHEN wanted ? 'classes' THEN 'i.class_key = ANY ($5)' END,
    CASE WHEN wanted ? 'severities' THEN 'i.severity = ANY ($6)' END,
    CASE WHEN wanted ? 'since' THEN 'i.reported_at >= $7' END,
    CASE WHEN wanted ? 'until' THEN 'i.reported_at < $8' END,
    CASE WHEN wanted ? 'box' THEN 'i.geom && $9' END,
    CASE WHEN wanted ? 'words' THEN '(i.number ILIKE $10 OR i.title ILIKE $10 OR i.address ILIKE $10)' END,
    CASE WHEN wanted ? 'area' THEN '(i.scope_path || ''''::ltree) <@ $11' END,
    CASE WHEN (wanted ->> 'unlocated')::boolean THEN 'i.location_method = ''none''' END,
    CASE WHEN NOT (wanted ->> 'drills')::boolean THEN 'NOT i.drill' END)
$$;

-- Ids in order, after a mark, `most` at most (null: all). `in_queue`: by severity, then the oldest first; else the newest
-- first. `in_order` false: any `most` of them, for counting.
CREATE OR REPLACE FUNCTION list_incidents(wanted jsonb, in_queue boolean, after_severity int, after_at timestamptz,
  after_id uuid, most int, in_order boolean DEFAULT true)
RETURNS TABLE (id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := roots_within(app_roots('case_paths'), (wanted ->> 'area')::ltree);
  shared uuid[] := app_shared_incidents();
  active boolean := wanted ? 'statuses' AND NOT wanted -> 'statuses' ? 'closed';
  visible text := 'NOT i.restricted OR ' || app_can('case.read_restricted');
  rows text;
  marked text := CASE WHEN after_id IS NULL THEN 'true'
    WHEN in_queue THEN '(i.severity, i.reported_at, i.id) > ($12, $13, $14)'
    ELSE 'i.reported_at <= $13 AND (i.reported_at, i.id) < ($13, $14)' END;
  sorted text := CASE WHEN NOT in_order THEN '' WHEN in_queue THEN 'ORDER BY i.severity, i.reported_at, i.id'
    ELSE 'ORDER BY i.reported_at DESC, i.id DESC' END;
BEGIN
  IF roots = '{}' AND shared = '{}' THEN RETURN; END IF;
  -- An empty path is added where the index on paths must not be taken: see camera_rows.
  IF NOT active AND incident_scope_is_narrow(roots) THEN
    rows := format('(SELECT * FROM incident i WHERE i.scope_path <@ ANY ($1) AND (%1$s) UNION ALL
                     SELECT * FROM incident i WHERE i.id = ANY ($2) AND NOT (i.scope_path <@ ANY ($1) AND (%1$s)))', visible);
  ELSE
    rows := 'incident';
  END IF;
  RETURN QUERY EXECUTE format('SELECT i.id FROM %s i WHERE (((i.scope_path || ''''::ltree) <@ ANY ($1) AND (%s)) OR i.id = ANY ($2))
      AND (i.batch_id IS NULL OR i.batch_id <> ALL ($3)) AND %s AND %s %s LIMIT $15',
      rows, visible, incident_matches(wanted), marked, sorted)
    USING roots, shared, hidden_batches(),
      ARRAY(SELECT jsonb_array_elements_text(wanted -> 'statuses')), ARRAY(SELECT jsonb_array_elements_text(wanted -> 'classes')),
      ARRAY(SELECT jsonb_array_elements_text(wanted -> 'severities')::int),
      (wanted ->> 'since')::timestamptz, (wanted ->> 'until')::timestamptz,
      ST_MakeEnvelope((wanted -> 'box' ->> 0)::float8, (wanted -> 'box' ->> 1)::float8,
                      (wanted -> 'box' ->> 2)::float8, (wanted -> 'box' ->> 3)::float8, 4326),
      like_pattern(wanted ->> 'words'), (wanted ->> 'area')::ltree, after_severity, after_at, after_id, most;
END $$;
