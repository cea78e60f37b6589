-- Positions at the door: who a device's key stands for, and the raw batch. The web's role may do these and nothing more.

-- The device behind the digest of a key, bound to a unit and not withdrawn. Touches last_used_at at most once a minute.
CREATE OR REPLACE FUNCTION device_by_key(digest bytea, at_time timestamptz)
RETURNS TABLE (device_id uuid, unit_id uuid, kind text, crs text, key_name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE k record;
BEGIN
  SELECT x.id, x.name, x.last_used_at, d.id AS device, d.unit_id AS unit, d.kind AS what, d.crs AS system INTO k
    FROM device_key x JOIN device d ON d.id = x.device_id
   WHERE x.secret_hash = digest AND x.revoked_at IS NULL AND d.revoked_at IS NULL AND d.unit_id IS NOT NULL
     AND (x.expires_at IS NULL OR x.expires_at > at_time);
  IF NOT FOUND THEN RETURN; END IF;
  IF k.last_used_at IS NULL OR k.last_used_at < at_time - interval '1 minute' THEN
    UPDATE device_key SET last_used_at = at_time WHERE id = k.id;
  END IF;
  RETURN QUERY SELECT k.device, k.unit, k.what, k.system, k.name;
END $$;

-- Raw batches, durable when this commits. The same ids again change nothing, so a writer may repeat.
CREATE OR REPLACE FUNCTION keep_fix_batches(ids uuid[], at_time timestamptz, shards smallint[], bodies bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  INSERT INTO fix_batch (id, received_at, shard, body)
  SELECT i, at_time, s, b FROM unnest(ids, shards, bodies) AS x(i, s, b)
  ON CONFLICT (id) DO NOTHING;
END $$;

-- Which of these units lie under one of the paths: a gateway speaks for the units of its own area only.
CREATE OR REPLACE FUNCTION units_under(units uuid[], paths public.ltree[]) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$ SELECT coalesce(array_agg(u.id), '{}') FROM unit u WHERE u.id = ANY (units) AND u.scope_path <@ ANY (paths) $$;

-- What the door could not even read of a device, beside what the filters refuse.
CREATE OR REPLACE FUNCTION count_refusals(device uuid, on_day date, reasons text[], counts int[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  INSERT INTO device_refusal AS r (device_id, day, reason, count)
  SELECT device, on_day, x.reason, x.n FROM unnest(reasons, counts) AS x(reason, n) ORDER BY 3
  ON CONFLICT (device_id, day, reason) DO UPDATE SET count = r.count + excluded.count
$$;

REVOKE EXECUTE ON FUNCTION device_by_key(bytea, timestamptz), units_under(uuid[], public.ltree[]),
  count_refusals(uuid, date, text[], int[]),
  keep_fix_batches(uuid[], timestamptz, smallint[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION device_by_key(bytea, timestamptz), units_under(uuid[], public.ltree[]),
  count_refusals(uuid, date, text[], int[]),
  keep_fix_batches(uuid[], timestamptz, smallint[], bytea[]) TO gridmap_app, gridmap_system;

-- Units by name, without status or place, for whoever binds devices to them.
CREATE OR REPLACE FUNCTION device_units() RETURNS TABLE (id uuid, call_sign text, kind text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$ SELECT u.id, u.call_sign, u.kind FROM unit u WHERE app_can('token.manage') ORDER BY u.call_sign, u.id $$;
