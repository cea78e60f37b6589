-- Which leaf areas a place lies in. Everybody who is logged in may know areas, but the policy that says so keeps the
-- planner off the spatial index: one point among 15,000 grids took 75 ms of processor time, here it takes one.

-- A point on a shared border belongs to the area with the lowest code: one rule for imports and reports alike.
CREATE OR REPLACE FUNCTION leaf_at(of_tree text, lon float8, lat float8, moment timestamptz)
RETURNS TABLE (area_id int, version_id uuid, path text, name text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  RETURN QUERY
  SELECT v.area_id, v.id, v.path::text, v.name
  FROM area_version v JOIN area a ON a.id = v.area_id
  WHERE app_known() AND v.is_leaf AND a.tree = of_tree AND (v.valid @> moment) IS TRUE
    AND ST_Covers(v.geom, ST_SetSRID(ST_MakePoint(lon, lat), 4326))
  ORDER BY a.code
  LIMIT 1;
END $$;

-- The leaves of the administrative tree that a WGS84 shape reaches into; one that only touches the border is left out.
CREATE OR REPLACE FUNCTION leaves_under(shape geometry, moment timestamptz)
RETURNS TABLE (area_id int, path text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  RETURN QUERY
  SELECT v.area_id, v.path::text
  FROM area_version v JOIN area a ON a.id = v.area_id
  WHERE app_known() AND v.is_leaf AND a.tree = 'admin' AND (v.valid @> moment) IS TRUE
    AND ST_Intersects(v.geom, shape) AND NOT ST_Touches(v.geom, shape);
END $$;
