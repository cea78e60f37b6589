-- Tiles past row-level security: its predicates hide the spatial index from the planner. Each function applies the
-- very rule of the table's policy in 20_policies.sql; tests/db/test_scope_equivalence.py holds the two equal.
--
-- A tile answers (mvt, shown, total, thinned). Points are thinned by counts only: a cell carries how many it stands for
-- (n) at their mean position, so the n of a zoom's tiles add up to the rows. A tile owns its west and north edge.

DROP TYPE IF EXISTS tile_answer CASCADE;
CREATE TYPE tile_answer AS (mvt bytea, shown int, total bigint, thinned boolean);

-- Ceilings: rows in an exact tile, and bytes before a tile falls back to counts.
CREATE OR REPLACE FUNCTION tile_most_rows() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 4000';
CREATE OR REPLACE FUNCTION tile_most_bytes() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 480000';
-- Points are counts up to this zoom, and exact beyond it where a tile does not hold too many.
CREATE OR REPLACE FUNCTION tile_thinned_zoom() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 13';
-- What gridmap/services/tile_counts.py keeps: plain counts up to the first; counts by class and status, and counts by
-- month, up to the second; counts by all three for the last two. See TileCount for how the kinds are told apart.
CREATE OR REPLACE FUNCTION tile_plain_zoom() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 15';
CREATE OR REPLACE FUNCTION tile_split_zoom() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 12';
CREATE OR REPLACE FUNCTION tile_full_zoom() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 13';
CREATE OR REPLACE FUNCTION tile_coarse_zoom() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 8';

CREATE OR REPLACE FUNCTION tile_version(of_layer text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT coalesce((SELECT v.version FROM layer_version v WHERE v.layer = of_layer), 0)::text || '.'
      || coalesce((SELECT sum(s.version) FROM area_set s), 0)::text
$$;

-- Kept counts of one tile as one row per cell, an eighth of the tile's edge: n and mean position in 1/2^24 of the world's
-- edge. A cell that was emptied keeps a row of zero until its layer is counted anew. Null filters mean all; months are
-- whole ones, first and last included. Not for the web's role: it trusts `roots`.
CREATE OR REPLACE FUNCTION tile_cells(of_layer text, z int, x int, y int, roots ltree[],
  classes text[], statuses text[], first_month int, last_month int)
RETURNS TABLE (n bigint, mean_x bigint, mean_y bigint)
LANGUAGE plpgsql STABLE SET search_path = gridmap, public, pg_temp SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
  everything boolean := ''::ltree = ANY (roots);
  by_class boolean := classes IS NOT NULL OR statuses IS NOT NULL;
  by_month boolean := first_month IS NOT NULL OR last_month IS NOT NULL;
  -- All but the plain and the finest counts are kept by paths of at most three labels.
  shallow boolean := NOT EXISTS (SELECT FROM unnest(roots) r WHERE nlevel(r) > 3);
  split boolean := shallow AND by_class <> by_month AND z <= tile_split_zoom();
  kept_zoom int := CASE WHEN NOT (by_class OR by_month) OR split THEN z
                        WHEN shallow AND z <= tile_coarse_zoom() THEN tile_coarse_zoom() ELSE tile_full_zoom() END;
  least_month int := CASE WHEN split AND by_class THEN -1 ELSE coalesce(first_month, 0) END;
  most_month int := CASE WHEN split AND by_class THEN -1 ELSE coalesce(last_month, 32767) END;
  every_class boolean := split AND by_month;
  coarser int := 2 * (kept_zoom - z);
  first_cell bigint := tile_morton(x, y) << (coarser + 6);
  last_cell bigint := first_cell + (1::bigint << (coarser + 6)) - 1;
  current_generation int := coalesce((SELECT t.generation FROM tile_layer t WHERE t.layer = of_layer), 0);
BEGIN
  IF NOT (by_class OR by_month) THEN
    RETURN QUERY
      SELECT sum(c.n)::bigint, (sum(c.sum_x) / sum(c.n))::bigint, (sum(c.sum_y) / sum(c.n))::bigint
      FROM tile_count c
      WHERE c.layer = of_layer AND c.generation = current_generation AND NOT c.detail AND c.zoom = kept_zoom
        AND c.cell BETWEEN first_cell AND last_cell
        AND (everything OR c.path <@ ANY (roots))
      GROUP BY c.cell HAVING sum(c.n) > 0;
  ELSE
    RETURN QUERY
      SELECT sum(c.n)::bigint, (sum(c.sum_x) / sum(c.n))::bigint, (sum(c.sum_y) / sum(c.n))::bigint
      FROM tile_count c
      WHERE c.layer = of_layer AND c.generation = current_generation AND c.detail AND c.zoom = kept_zoom
        AND c.cell BETWEEN first_cell AND last_cell
        AND c.month BETWEEN least_month AND most_month AND (c.class_key = '') = every_class
        AND (everything OR c.path <@ ANY (roots))
        AND (classes IS NULL OR c.class_key = ANY (classes)) AND (statuses IS NULL OR c.status = ANY (statuses))
      GROUP BY c.cell >> coarser HAVING sum(c.n) > 0;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION tile_cells(text, int, int, int, ltree[], text[], text[], int, int) FROM PUBLIC;

-- Whether a tile of points is drawn from counts: far off always, nearer where it would hold too many points.
CREATE OR REPLACE FUNCTION tile_is_counted(of_layer text, z int, x int, y int, roots ltree[], filtered boolean)
RETURNS boolean
LANGUAGE sql STABLE SET search_path = gridmap, public, pg_temp AS
$$
  SELECT z <= tile_thinned_zoom() OR (z <= tile_plain_zoom() AND NOT filtered AND tile_most_rows() < coalesce(
    (SELECT sum(k.n) FROM tile_cells(of_layer, z, x, y, roots, NULL, NULL, NULL, NULL) k), 0))
$$;
REVOKE EXECUTE ON FUNCTION tile_is_counted(text, int, int, int, ltree[], boolean) FROM PUBLIC;

-- A position in 1/2^24 of the world's edge as a point of the tile's own 4096 by 4096 square.
CREATE OR REPLACE FUNCTION tile_point_in(z int, x int, y int, at_x bigint, at_y bigint) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ST_MakePoint(((at_x << z) >> 12) - (x::bigint << 12), ((at_y << z) >> 12) - (y::bigint << 12)) $$;

-- True when a point belongs to the tile: the west and north edge are its own, the east and south edge its neighbours'.
CREATE OR REPLACE FUNCTION tile_owns(tile geometry, point geometry) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
  SELECT ST_X(point) >= ST_XMin(tile) AND ST_X(point) < ST_XMax(tile)
     AND ST_Y(point) > ST_YMin(tile) AND ST_Y(point) <= ST_YMax(tile)
$$;

-- Which of the tile's 8 by 8 cells a point of it lies in.
CREATE OR REPLACE FUNCTION tile_cell_of(tile geometry, point geometry) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
  SELECT (floor((ST_X(point) - ST_XMin(tile)) / (ST_XMax(tile) - ST_XMin(tile)) * 8)
    + 8 * floor((ST_YMax(tile) - ST_Y(point)) / (ST_YMax(tile) - ST_YMin(tile)) * 8))::int
$$;

-- A place in metres as a point of the tile's own 4096 by 4096 square. Clipping and validating, which ST_AsMVTGeom does,
-- cost more than all the rest of a tile of points.
CREATE OR REPLACE FUNCTION tile_place(tile geometry, at_x float8, at_y float8) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
  SELECT ST_MakePoint(least(4095, floor((at_x - ST_XMin(tile)) / (ST_XMax(tile) - ST_XMin(tile)) * 4096)),
                      least(4095, floor((ST_YMax(tile) - at_y) / (ST_YMax(tile) - ST_YMin(tile)) * 4096)))
$$;

-- The rows a tile may show, once: exact tiles, counts on the spot and boxes read the same. Only called from functions
-- that own the tables, and written so that the planner sees through it to the spatial index. It must not see the index on
-- paths: it takes a scope to be rarer than it is, and reads half of that index for a tile of a hundred rows (600 ms
-- against 40 ms on 2,000,000). Hence the empty path that is added to each.
CREATE OR REPLACE FUNCTION camera_rows(box geometry, roots ltree[], hidden uuid[], classes text[], statuses text[])
RETURNS SETOF camera LANGUAGE sql STABLE AS
$$
  SELECT c.* FROM camera c
  WHERE c.geom_3857 && box AND c.withdrawn_at IS NULL
    AND (c.scope_path || ''::ltree) <@ ANY (roots)
    AND (c.batch_id IS NULL OR c.batch_id <> ALL (hidden))
    AND (classes IS NULL OR c.kind = ANY (classes)) AND (statuses IS NULL OR c.status = ANY (statuses))
$$;

CREATE OR REPLACE FUNCTION incident_rows(box geometry, roots ltree[], shared uuid[], hidden uuid[], classes text[],
  statuses text[], since timestamptz, until timestamptz)
RETURNS SETOF incident LANGUAGE sql STABLE AS
$$
  SELECT i.* FROM incident i
  WHERE i.geom_3857 && box AND NOT i.restricted AND NOT i.drill
    AND ((i.scope_path || ''::ltree) <@ ANY (roots) OR i.id = ANY (shared))
    AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden))
    AND (classes IS NULL OR i.class_key = ANY (classes)) AND (statuses IS NULL OR i.status = ANY (statuses))
    AND (since IS NULL OR i.reported_at >= since) AND (until IS NULL OR i.reported_at < until)
$$;

CREATE OR REPLACE FUNCTION feature_rows(of_layer text, box geometry, roots ltree[], hidden uuid[])
RETURNS SETOF feature LANGUAGE sql STABLE AS
$$
  SELECT f.* FROM feature f
  WHERE f.layer = of_layer AND f.geom_3857 && box AND f.withdrawn_at IS NULL
    AND (f.scope_path || ''::ltree) <@ ANY (roots)
    AND (f.batch_id IS NULL OR f.batch_id <> ALL (hidden))
$$;
