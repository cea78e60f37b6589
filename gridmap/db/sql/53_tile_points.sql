-- Tiles of points: cameras, incidents, generic features. One plan for all values: it goes by the spatial index whatever
-- they are, and planning anew costs more than reading.

CREATE OR REPLACE FUNCTION tile_cameras(z int, x int, y int, classes text[] DEFAULT NULL, statuses text[] DEFAULT NULL,
  since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS tile_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
  answer tile_answer := (''::bytea, 0, 0, false);
  roots ltree[] := app_roots('map_paths');
  hidden uuid[] := hidden_batches();
  tile geometry := ST_TileEnvelope(z, x, y);
BEGIN
  IF NOT app_can('camera.read') OR roots = '{}' THEN RETURN answer; END IF;
  IF tile_is_counted('cameras', z, x, y, roots, classes IS NOT NULL OR statuses IS NOT NULL) THEN
    SELECT ST_AsMVT(t, 'cameras', 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
    FROM (SELECT k.n::int AS n, true AS thinned, tile_point_in(z, x, y, k.mean_x, k.mean_y) AS geom
          FROM tile_cells('cameras', z, x, y, roots, classes, statuses, NULL, NULL) k) AS t;
    RETURN answer;
  END IF;
  SELECT ST_AsMVT(t, 'cameras', 4096, 'geom'), count(*), count(*), false INTO answer
  FROM (
    SELECT c.id::text AS id, c.kind, c.status, CASE WHEN z >= 16 THEN c.name END AS name,
           c.heading_deg::int AS heading, c.fov_deg::int AS fov, c.range_m::int AS range,
           tile_place(tile, ST_X(c.geom_3857), ST_Y(c.geom_3857)) AS geom
    FROM camera_rows(tile, roots, hidden, classes, statuses) c
    WHERE tile_owns(tile, c.geom_3857)
    LIMIT tile_most_rows() + 1) AS t;
  IF answer.shown <= tile_most_rows() AND octet_length(answer.mvt) <= tile_most_bytes() THEN RETURN answer; END IF;
  SELECT ST_AsMVT(t, 'cameras', 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
  FROM (
    SELECT count(*)::int AS n, true AS thinned, tile_place(tile, avg(ST_X(c.geom_3857)), avg(ST_Y(c.geom_3857))) AS geom
    FROM camera_rows(tile, roots, hidden, classes, statuses) c
    WHERE tile_owns(tile, c.geom_3857)
    GROUP BY tile_cell_of(tile, c.geom_3857)) AS t;
  RETURN answer;
END $$;

-- The counts of one incident tile: whole months as kept; the days at either end of the asked span, small areas
-- under a filter at low zoom, and what was shared from elsewhere are counted on the spot. Planned with their values, since
-- the best index differs from call to call.
CREATE OR REPLACE FUNCTION tile_incident_cells(z int, x int, y int, roots ltree[], shared uuid[], hidden uuid[],
  classes text[], statuses text[], since timestamptz, until timestamptz)
RETURNS TABLE (n bigint, mean_x bigint, mean_y bigint)
LANGUAGE plpgsql STABLE SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  tile geometry := ST_TileEnvelope(z, x, y);
  first_month int := tile_month(since) + (since > tile_month_start(tile_month(since)))::int;
  last_month int := tile_month(until) - 1;
  whole boolean := coalesce(first_month <= last_month, true);
  -- Small areas hold few rows: read through their paths, these are quicker than the counts of the whole tile.
  small boolean := z <= 11 AND num_nonnulls(classes, statuses, since, until) > 0
    AND NOT EXISTS (SELECT FROM unnest(roots) r WHERE nlevel(r) <= 3);
  counted text := 'SELECT count(*), avg(tile_x(i.geom_3857))::bigint, avg(tile_y(i.geom_3857))::bigint
    FROM incident_rows($1, $2, ''{}'', $3, $4, $5, $6, $7) i WHERE tile_owns($1, i.geom_3857)
      AND (NOT $8 OR i.scope_path <@ ANY ($2))
    GROUP BY tile_cell_of($1, i.geom_3857)';
BEGIN
  IF whole AND NOT small THEN
    RETURN QUERY SELECT * FROM tile_cells('incidents', z, x, y, roots, classes, statuses, first_month, last_month);
    IF since < tile_month_start(first_month) THEN
      RETURN QUERY EXECUTE counted USING tile, roots, hidden, classes, statuses, since, tile_month_start(first_month), small;
    END IF;
    IF until > tile_month_start(last_month + 1) THEN
      RETURN QUERY EXECUTE counted USING tile, roots, hidden, classes, statuses, tile_month_start(last_month + 1), until, small;
    END IF;
  ELSE
    RETURN QUERY EXECUTE counted USING tile, roots, hidden, classes, statuses, since, until, small;
  END IF;
  IF cardinality(shared) > 0 THEN
    RETURN QUERY
      SELECT count(*), avg(tile_x(i.geom_3857))::bigint, avg(tile_y(i.geom_3857))::bigint
      FROM incident i
      WHERE i.id = ANY (shared) AND NOT i.scope_path <@ ANY (roots) AND tile_owns(tile, i.geom_3857)
        AND NOT i.restricted AND NOT i.drill AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden))
        AND (classes IS NULL OR i.class_key = ANY (classes)) AND (statuses IS NULL OR i.status = ANY (statuses))
        AND (since IS NULL OR i.reported_at >= since) AND (until IS NULL OR i.reported_at < until)
      GROUP BY tile_cell_of(tile, i.geom_3857);
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION tile_incident_cells(int, int, int, ltree[], uuid[], uuid[], text[], text[], timestamptz, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tile_incidents(z int, x int, y int, classes text[] DEFAULT NULL, statuses text[] DEFAULT NULL,
  since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS tile_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
  answer tile_answer := (''::bytea, 0, 0, false);
  roots ltree[] := app_roots('case_paths');
  shared uuid[] := app_shared_incidents();
  hidden uuid[] := hidden_batches();
  tile geometry := ST_TileEnvelope(z, x, y);
BEGIN
  IF roots = '{}' AND shared = '{}' THEN RETURN answer; END IF;
  IF tile_is_counted('incidents', z, x, y, roots, num_nonnulls(classes, statuses, since, until) > 0) THEN
    SELECT ST_AsMVT(t, 'incidents', 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
    FROM (SELECT sum(k.n)::int AS n, true AS thinned,
                 tile_point_in(z, x, y, (sum(k.mean_x * k.n) / sum(k.n))::bigint, (sum(k.mean_y * k.n) / sum(k.n))::bigint) AS geom
          FROM tile_incident_cells(z, x, y, roots, shared, hidden, classes, statuses, since, until) k
          GROUP BY k.mean_x >> (21 - z), k.mean_y >> (21 - z)) AS t;
    RETURN answer;
  END IF;
  SELECT ST_AsMVT(t, 'incidents', 4096, 'geom'), count(*), count(*), false INTO answer
  FROM (
    SELECT i.id::text AS id, i.class_key AS class, i.severity::int AS severity, i.status,
           extract(epoch FROM i.reported_at)::bigint AS at, CASE WHEN z >= 16 THEN i.number END AS number,
           tile_place(tile, ST_X(i.geom_3857), ST_Y(i.geom_3857)) AS geom
    FROM incident_rows(tile, roots, shared, hidden, classes, statuses, since, until) i
    WHERE tile_owns(tile, i.geom_3857)
    LIMIT tile_most_rows() + 1) AS t;
  IF answer.shown <= tile_most_rows() AND octet_length(answer.mvt) <= tile_most_bytes() THEN RETURN answer; END IF;
  SELECT ST_AsMVT(t, 'incidents', 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
  FROM (
    SELECT count(*)::int AS n, true AS thinned, tile_place(tile, avg(ST_X(i.geom_3857)), avg(ST_Y(i.geom_3857))) AS geom
    FROM incident_rows(tile, roots, shared, hidden, classes, statuses, since, until) i
    WHERE tile_owns(tile, i.geom_3857)
    GROUP BY tile_cell_of(tile, i.geom_3857)) AS t;
  RETURN answer;
END $$;

-- A layer of the table `feature`. Points are counted like any other; lines and polygons are drawn from z 9 on, as
-- counts before that and where they would make the tile too large.
CREATE OR REPLACE FUNCTION tile_feature(of_layer text, z int, x int, y int, classes text[] DEFAULT NULL,
  statuses text[] DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS tile_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
  answer tile_answer := (''::bytea, 0, 0, false);
  roots ltree[] := app_roots('map_paths');
  hidden uuid[] := hidden_batches();
  tile geometry := ST_TileEnvelope(z, x, y);
  margin geometry := ST_TileEnvelope(z, x, y, margin => 64.0 / 4096);
BEGIN
  IF NOT app_known() OR roots = '{}' THEN RETURN answer; END IF;
  IF NOT tile_is_counted(of_layer, z, x, y, roots, false) THEN
    SELECT ST_AsMVT(t, of_layer, 4096, 'geom'), count(*), count(*) FILTER (WHERE t.own), false INTO answer
    FROM (
      SELECT f.id::text AS id, f.name, f.props ->> 'kind' AS kind, f.props ->> 'status' AS status,
             tile_owns(tile, ST_PointOnSurface(f.geom_3857)) AS own,
             ST_AsMVTGeom(f.geom_3857, tile, 4096, 64, true) AS geom
      FROM feature_rows(of_layer, margin, roots, hidden) f
      WHERE ST_Dimension(f.geom_3857) > 0 OR tile_owns(tile, ST_PointOnSurface(f.geom_3857))
      LIMIT tile_most_rows() + 1) AS t;
    IF answer.shown <= tile_most_rows() AND octet_length(answer.mvt) <= tile_most_bytes() THEN RETURN answer; END IF;
    SELECT ST_AsMVT(t, of_layer, 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
    FROM (
      SELECT count(*)::int AS n, true AS thinned, tile_place(tile, avg(ST_X(p.at)), avg(ST_Y(p.at))) AS geom
      FROM (SELECT ST_PointOnSurface(f.geom_3857) AS at FROM feature_rows(of_layer, tile, roots, hidden) f) AS p
      WHERE tile_owns(tile, p.at)
      GROUP BY tile_cell_of(tile, p.at)) AS t;
    RETURN answer;
  END IF;
  SELECT ST_AsMVT(t, of_layer, 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
  FROM (SELECT k.n::int AS n, true AS thinned, tile_point_in(z, x, y, k.mean_x, k.mean_y) AS geom
        FROM tile_cells(of_layer, z, x, y, roots, NULL, NULL, NULL, NULL) k) AS t;
  RETURN answer;
END $$;
