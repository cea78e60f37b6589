-- Tiles past row-level security: its predicates hide the spatial index from the planner. Each function applies the
-- very rule of the table's policy in 20_policies.sql; tests/db/test_scope_equivalence.py holds the two equal.
--
-- A tile answers (mvt, shown, total, thinned). Points are thinned by counts only: a cell carries how many it stands for
-- (n) at their mean position, so the n of a zoom's tiles add up to the rows. A tile owns its west and north edge.

DROP TYPE IF EXISTS tile_answer CASCADE;
CREATE TYPE tile_answer AS (mvt bytea, shown int, total bigint, thinned boolean);

-- Ceilings: rows in an exact tile, and bytes before a tile falls back to counts.
CREATE OR REPLACE FUNCTION tile_most_rows() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 6000';
CREATE OR REPLACE FUNCTION tile_most_bytes() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 480000';
-- Counts are kept for zooms up to this; beyond, tiles are exact or counted on the spot.
CREATE OR REPLACE FUNCTION tile_count_zoom() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 13';
-- Counts by class, status and month are kept for these two zooms; the coarse one by paths of at most three labels.
CREATE OR REPLACE FUNCTION tile_coarse_zoom() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 8';

CREATE OR REPLACE FUNCTION tile_version(of_layer text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT coalesce((SELECT v.version FROM layer_version v WHERE v.layer = of_layer), 0)::text || '.'
      || coalesce((SELECT sum(s.version) FROM area_set s), 0)::text
$$;

-- Kept counts of one tile as one row per cell: n and mean position in 1/2^24 of the world's edge.
-- Null filters mean all; months are whole ones, first and last included. Not for the web's role: it trusts `roots`.
CREATE OR REPLACE FUNCTION tile_cells(of_layer text, z int, x int, y int, roots ltree[],
  classes text[], statuses text[], first_month int, last_month int)
RETURNS TABLE (n bigint, mean_x bigint, mean_y bigint)
LANGUAGE plpgsql STABLE SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  everything boolean := ''::ltree = ANY (roots);
  filtered boolean := classes IS NOT NULL OR statuses IS NOT NULL OR first_month IS NOT NULL OR last_month IS NOT NULL;
  shallow boolean := NOT EXISTS (SELECT FROM unnest(roots) r WHERE nlevel(r) > 3);
  kept_zoom int := CASE WHEN NOT filtered THEN z WHEN z <= tile_coarse_zoom() AND shallow THEN tile_coarse_zoom() ELSE tile_count_zoom() END;
  shift int := 2 * (kept_zoom + 5 - z);
  first_cell bigint := tile_morton(x, y) << shift;
  last_cell bigint := first_cell + (1::bigint << shift) - 1;
  coarser int := 2 * (kept_zoom - z);
  current_generation int := coalesce((SELECT t.generation FROM tile_layer t WHERE t.layer = of_layer), 0);
BEGIN
  IF NOT filtered THEN
    RETURN QUERY
      SELECT sum(c.n)::bigint, (sum(c.sum_x) / sum(c.n))::bigint, (sum(c.sum_y) / sum(c.n))::bigint
      FROM tile_count c
      WHERE c.layer = of_layer AND c.generation = current_generation AND NOT c.detail AND c.zoom = kept_zoom
        AND c.cell BETWEEN first_cell AND last_cell
        AND (everything OR c.path <@ ANY (roots))
      GROUP BY c.cell;
  ELSE
    RETURN QUERY
      SELECT sum(c.n)::bigint, (sum(c.sum_x) / sum(c.n))::bigint, (sum(c.sum_y) / sum(c.n))::bigint
      FROM tile_count c
      WHERE c.layer = of_layer AND c.generation = current_generation AND c.detail AND c.zoom = kept_zoom
        AND c.cell BETWEEN first_cell AND last_cell
        AND (everything OR c.path <@ ANY (roots))
        AND (classes IS NULL OR c.class_key = ANY (classes)) AND (statuses IS NULL OR c.status = ANY (statuses))
        AND (first_month IS NULL OR c.month >= first_month) AND (last_month IS NULL OR c.month <= last_month)
      GROUP BY c.cell >> coarser;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION tile_cells(text, int, int, int, ltree[], text[], text[], int, int) FROM PUBLIC;

-- A position in 1/2^24 of the world's edge as a point of the tile's own 4096 by 4096 square.
CREATE OR REPLACE FUNCTION tile_point_in(z int, x int, y int, at_x bigint, at_y bigint) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ST_MakePoint(((at_x << z) / 4096.0 - x * 4096.0)::int, ((at_y << z) / 4096.0 - y * 4096.0)::int) $$;

CREATE OR REPLACE FUNCTION tile_cameras(z int, x int, y int, classes text[] DEFAULT NULL, statuses text[] DEFAULT NULL,
  since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS tile_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  answer tile_answer;
  roots ltree[] := app_roots('map_paths');
  everything boolean := ''::ltree = ANY (roots);
  hidden uuid[] := hidden_batches();
  tile geometry := ST_TileEnvelope(z, x, y);
  west float8 := ST_XMin(tile); east float8 := ST_XMax(tile); south float8 := ST_YMin(tile); north float8 := ST_YMax(tile);
BEGIN
  answer := (''::bytea, 0, 0, false);
  IF NOT app_can('camera.read') OR roots = '{}' THEN RETURN answer; END IF;
  IF z > tile_count_zoom() THEN
    SELECT ST_AsMVT(t, 'cameras', 4096, 'geom'), count(*), count(*) INTO answer.mvt, answer.shown, answer.total
    FROM (
      SELECT c.id::text AS id, c.kind, c.status, CASE WHEN z >= 16 THEN c.name END AS name,
             c.heading_deg::int AS heading, c.fov_deg::int AS fov, c.range_m::int AS range,
             ST_AsMVTGeom(c.geom_3857, tile, 4096, 0, false) AS geom
      FROM camera c
      WHERE c.geom_3857 && tile AND ST_X(c.geom_3857) >= west AND ST_X(c.geom_3857) < east
        AND ST_Y(c.geom_3857) > south AND ST_Y(c.geom_3857) <= north
        AND c.withdrawn_at IS NULL
        AND (everything OR c.scope_path <@ ANY (roots))
        AND (c.batch_id IS NULL OR c.batch_id <> ALL (hidden))
        AND (classes IS NULL OR c.kind = ANY (classes)) AND (statuses IS NULL OR c.status = ANY (statuses))
      LIMIT tile_most_rows() + 1) AS t;
    answer.thinned := false;
    IF answer.shown <= tile_most_rows() AND octet_length(answer.mvt) <= tile_most_bytes() THEN RETURN answer; END IF;
    SELECT ST_AsMVT(t, 'cameras', 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
    FROM (
      SELECT count(*)::int AS n, true AS thinned,
             ST_AsMVTGeom(ST_SetSRID(ST_MakePoint(avg(ST_X(c.geom_3857)), avg(ST_Y(c.geom_3857))), 3857), tile, 4096, 0, false) AS geom
      FROM camera c
      WHERE c.geom_3857 && tile AND ST_X(c.geom_3857) >= west AND ST_X(c.geom_3857) < east
        AND ST_Y(c.geom_3857) > south AND ST_Y(c.geom_3857) <= north
        AND c.withdrawn_at IS NULL
        AND (everything OR c.scope_path <@ ANY (roots))
        AND (c.batch_id IS NULL OR c.batch_id <> ALL (hidden))
        AND (classes IS NULL OR c.kind = ANY (classes)) AND (statuses IS NULL OR c.status = ANY (statuses))
      GROUP BY floor((ST_X(c.geom_3857) - west) / (east - west) * 32), floor((north - ST_Y(c.geom_3857)) / (north - south) * 32)) AS t;
    RETURN answer;
  END IF;
  SELECT ST_AsMVT(t, 'cameras', 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
  FROM (
    SELECT k.n::int AS n, true AS thinned, tile_point_in(z, x, y, k.mean_x, k.mean_y) AS geom
    FROM tile_cells('cameras', z, x, y, roots, classes, statuses, NULL, NULL) k) AS t;
  RETURN answer;
END $$;
