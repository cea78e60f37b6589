-- Logging in happens before anybody is known, so these few functions read and write past row-level security.
-- They take digests and give back no secret but the password's hash, which only the log-in itself asks for.

CREATE OR REPLACE FUNCTION auth_account_by_login(given text)
RETURNS TABLE (id uuid, password_hash text, status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$ SELECT a.id, a.password_hash, a.status FROM account a WHERE a.login = given::citext $$;

CREATE OR REPLACE FUNCTION auth_open_session(
  session_id uuid, account uuid, digest bytea, at timestamptz, until timestamptz, address text, agent text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  INSERT INTO account_session (id, account_id, token_hash, created_at, last_seen_at, expires_at, ip, user_agent)
  VALUES (session_id, account, digest, at, at, until, address, left(agent, 300))
$$;

CREATE OR REPLACE FUNCTION auth_close_session(digest bytea, at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$ UPDATE account_session SET revoked_at = at WHERE token_hash = digest AND revoked_at IS NULL $$;

-- Grants in force, each with the path of its area ('' = everywhere), as JSON.
CREATE OR REPLACE FUNCTION auth_grants(account uuid, at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'role', g.role, 'area_id', g.area_id, 'area_name', v.name, 'department', g.department,
           'path', coalesce(v.path::text, '')) ORDER BY g.valid_from, g.id), '[]'::jsonb)
  FROM access_grant g
  LEFT JOIN area_version v ON v.area_id = g.area_id AND v.valid @> at
  WHERE g.account_id = account AND g.valid_from <= at AND (g.valid_to IS NULL OR g.valid_to > at)
    AND (g.area_id IS NULL OR v.id IS NOT NULL)
$$;

CREATE OR REPLACE FUNCTION auth_units(person uuid, at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT coalesce(jsonb_agg(m.unit_id ORDER BY m.unit_id), '[]'::jsonb)
  FROM unit_member m WHERE m.person_id = person AND m.valid @> at
$$;

-- The actor behind a session cookie, or null. Touches last_seen_at at most once a minute.
CREATE OR REPLACE FUNCTION auth_session_actor(digest bytea, at timestamptz) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE s record;
BEGIN
  SELECT x.id, x.account_id, x.last_seen_at, x.created_at, a.login, a.display_name, a.person_id, a.must_change_password
    INTO s
    FROM account_session x JOIN account a ON a.id = x.account_id
   WHERE x.token_hash = digest AND x.revoked_at IS NULL AND x.expires_at > at AND a.status = 'active';
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF s.last_seen_at < at - interval '1 minute' THEN
    UPDATE account_session SET last_seen_at = at WHERE id = s.id;
  END IF;
  RETURN jsonb_build_object(
    'session_id', s.id, 'account_id', s.account_id, 'login', s.login, 'display_name', s.display_name,
    'person_id', s.person_id, 'must_change_password', s.must_change_password, 'signed_in_at', s.created_at,
    'grants', auth_grants(s.account_id, at), 'units', auth_units(s.person_id, at));
END $$;

-- The machine or device behind a bearer token, or null.
CREATE OR REPLACE FUNCTION auth_token_actor(digest bytea, at timestamptz) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE t record;
BEGIN
  SELECT k.id, k.name, k.role, k.source, k.area_id, k.last_used_at, d.unit_id,
         coalesce(v.path::text, '') AS path, v.id AS version_id
    INTO t
    FROM api_token k
    LEFT JOIN device d ON d.id = k.device_id
    LEFT JOIN area_version v ON v.area_id = k.area_id AND v.valid @> at
   WHERE k.token_hash = digest AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > at);
  IF NOT FOUND OR (t.area_id IS NOT NULL AND t.version_id IS NULL) THEN RETURN NULL; END IF;
  IF t.last_used_at IS NULL OR t.last_used_at < at - interval '1 minute' THEN
    UPDATE api_token SET last_used_at = at WHERE id = t.id;
  END IF;
  RETURN jsonb_build_object(
    'token_id', t.id, 'name', t.name, 'source', t.source,
    'grants', jsonb_build_array(jsonb_build_object('role', t.role, 'area_id', t.area_id, 'path', t.path)),
    'units', CASE WHEN t.unit_id IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(t.unit_id) END);
END $$;

-- Counts a failed try and says how many seconds to wait (0 = go on). Shared by every process through the table.
CREATE OR REPLACE FUNCTION auth_login_wait_s(buckets text[], at timestamptz, most int, window_s int) RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT coalesce(max(CASE WHEN n >= most
           THEN greatest(1, ceil(extract(epoch FROM oldest + make_interval(secs => window_s) - at)))::int ELSE 0 END), 0)
  FROM (SELECT count(*) AS n, min(l.at) AS oldest FROM login_attempt l
        WHERE l.bucket = ANY (buckets) AND l.at > auth_login_wait_s.at - make_interval(secs => window_s)
        GROUP BY l.bucket) AS counted
$$;

CREATE OR REPLACE FUNCTION auth_login_failed(attempt_ids uuid[], buckets text[], at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  INSERT INTO login_attempt (id, bucket, at) SELECT i, b, auth_login_failed.at FROM unnest(attempt_ids, buckets) AS x(i, b);
$$;

CREATE OR REPLACE FUNCTION auth_login_cleared(given text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$ DELETE FROM login_attempt WHERE bucket = given $$;

-- Whose reset it is, for the rules of the new password. Null when the reset is no good.
CREATE OR REPLACE FUNCTION auth_reset_login(digest bytea, at_time timestamptz) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT a.login::text FROM password_reset r JOIN account a ON a.id = r.account_id
  WHERE r.token_hash = digest AND r.used_at IS NULL AND r.expires_at > at_time AND a.status = 'active'
$$;

-- Sets a new password by a single-use reset and ends every session of the account. Null when the reset is no good.
CREATE OR REPLACE FUNCTION auth_use_reset(digest bytea, new_hash text, at_time timestamptz) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE who uuid;
BEGIN
  UPDATE password_reset SET used_at = at_time
   WHERE token_hash = digest AND used_at IS NULL AND expires_at > at_time
  RETURNING account_id INTO who;
  IF who IS NULL THEN RETURN NULL; END IF;
  UPDATE account SET password_hash = new_hash, must_change_password = false WHERE id = who;
  UPDATE account_session SET revoked_at = at_time WHERE account_id = who AND revoked_at IS NULL;
  RETURN who;
END $$;
