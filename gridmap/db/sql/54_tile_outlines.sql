-- Tiles of outlines: areas and buildings, which everybody who is logged in may see.

-- From which zoom on a level's borders are drawn; a site's own levels come with the counties.
CREATE OR REPLACE FUNCTION area_min_zoom(level text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
  SELECT CASE level WHEN 'province' THEN 0 WHEN 'city' THEN 4 WHEN 'county' THEN 6 WHEN 'township' THEN 9
                    WHEN 'community' THEN 11 WHEN 'grid' THEN 13 WHEN 'unit_grid' THEN 15 ELSE 7 END
$$;

-- Two MVT layers: `areas` (outlines) and `areas_label` (one point an area, in the one tile that holds it).
CREATE OR REPLACE FUNCTION tile_areas(z int, x int, y int, classes text[] DEFAULT NULL, statuses text[] DEFAULT NULL,
  since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS tile_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  answer tile_answer := (''::bytea, 0, 0, false);
  outlines bytea; labels bytea;
  tile geometry := ST_TileEnvelope(z, x, y);
  margin geometry := ST_TileEnvelope(z, x, y, margin => 64.0 / 4096);
  pixel_m float8 := 40075016.685578488 / 2 ^ z / 1024;
BEGIN
  IF NOT app_known() THEN RETURN answer; END IF;
  WITH hit AS MATERIALIZED (
    SELECT v.area_id, a.code, a.level, v.name, v.path::text AS path, v.geom_3857
    FROM area_version v JOIN area a ON a.id = v.area_id
    WHERE v.geom_3857 && margin AND v.valid @> app_now() AND a.tree = 'admin' AND area_min_zoom(a.level) <= z
      AND (classes IS NULL OR a.level = ANY (classes))
    ORDER BY area_min_zoom(a.level), v.area_id
    LIMIT tile_most_rows() + 1),
  outline AS (
    SELECT h.area_id, h.code, h.level, h.name, h.path,
           -- Cut first: a county's border has thousands of corners and a tile sees a few of them.
           ST_AsMVTGeom(ST_Simplify(ST_ClipByBox2D(h.geom_3857, margin), CASE WHEN z < 14 THEN pixel_m / 2 ELSE 0 END),
                        tile, 4096, 64, true) AS geom
    FROM hit h),
  label AS (
    SELECT l.area_id, l.level, l.name, l.code, ST_AsMVTGeom(l.at, tile, 4096, 0, false) AS geom
    FROM (SELECT h.*, ST_PointOnSurface(h.geom_3857) AS at FROM hit h
          -- Too small for a name, or so large that its name is not what the screen is about.
          WHERE ST_XMax(h.geom_3857) - ST_XMin(h.geom_3857) BETWEEN 40 * pixel_m AND 4096 * pixel_m) AS l
    WHERE tile_owns(tile, l.at))
  SELECT (SELECT ST_AsMVT(o, 'areas', 4096, 'geom', 'area_id') FROM outline o WHERE o.geom IS NOT NULL),
         (SELECT ST_AsMVT(l, 'areas_label', 4096, 'geom', 'area_id') FROM label l),
         (SELECT count(*) FROM hit)
    INTO outlines, labels, answer.shown;
  answer.mvt := coalesce(outlines, '') || coalesce(labels, '');
  answer.total := answer.shown;
  IF answer.shown <= tile_most_rows() AND octet_length(answer.mvt) <= tile_most_bytes() THEN RETURN answer; END IF;
  SELECT ST_AsMVT(t, 'areas', 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
  FROM (
    SELECT count(*)::int AS n, true AS thinned, tile_place(tile, avg(ST_X(p.at)), avg(ST_Y(p.at))) AS geom
    FROM (SELECT ST_PointOnSurface(v.geom_3857) AS at
          FROM area_version v JOIN area a ON a.id = v.area_id
          WHERE v.geom_3857 && tile AND v.valid @> app_now() AND a.tree = 'admin' AND area_min_zoom(a.level) <= z
            AND (classes IS NULL OR a.level = ANY (classes))) AS p
    WHERE tile_owns(tile, p.at)
    GROUP BY tile_cell_of(tile, p.at)) AS t;
  RETURN answer;
END $$;

CREATE OR REPLACE FUNCTION tile_buildings(z int, x int, y int, classes text[] DEFAULT NULL, statuses text[] DEFAULT NULL,
  since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS tile_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  answer tile_answer := (''::bytea, 0, 0, false);
  tile geometry := ST_TileEnvelope(z, x, y);
  margin geometry := ST_Transform(ST_TileEnvelope(z, x, y, margin => 64.0 / 4096), 4326);
BEGIN
  IF NOT app_known() OR z < 14 THEN RETURN answer; END IF;
  SELECT ST_AsMVT(t, 'buildings', 4096, 'geom'), count(*), count(*), false INTO answer
  FROM (
    SELECT b.id::text AS id, b.name, b.kind, b.house_number, b.levels, b.height_m::int AS height, b.households,
           ST_AsMVTGeom(ST_Transform(b.geom, 3857), tile, 4096, 64, true) AS geom
    FROM building b
    WHERE b.geom && margin AND b.withdrawn_at IS NULL
    LIMIT tile_most_rows() + 1) AS t;
  IF answer.shown <= tile_most_rows() AND octet_length(answer.mvt) <= tile_most_bytes() THEN RETURN answer; END IF;
  SELECT ST_AsMVT(t, 'buildings', 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
  FROM (
    SELECT count(*)::int AS n, true AS thinned, tile_place(tile, avg(ST_X(p.at)), avg(ST_Y(p.at))) AS geom
    FROM (SELECT ST_Transform(ST_PointOnSurface(b.geom), 3857) AS at
          FROM building b WHERE b.geom && margin AND b.withdrawn_at IS NULL) AS p
    WHERE tile_owns(tile, p.at)
    GROUP BY tile_cell_of(tile, p.at)) AS t;
  RETURN answer;
END $$;
