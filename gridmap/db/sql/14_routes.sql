-- A route was drawn or withdrawn: the layer's number grows, so that no map shows the old tiles.
CREATE OR REPLACE FUNCTION routes_changed() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE grown bigint;
BEGIN
  IF NOT app_can('route.edit') THEN RAISE insufficient_privilege; END IF;
  INSERT INTO layer_version (layer, version, changed_at) VALUES ('routes', 1, app_now())
  ON CONFLICT (layer) DO UPDATE SET version = layer_version.version + 1, changed_at = excluded.changed_at
  RETURNING version INTO grown;
  RETURN grown;
END $$;
