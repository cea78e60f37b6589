-- The running number of incidents.
CREATE SEQUENCE IF NOT EXISTS incident_number;

-- Who acts in this transaction, as SET LOCAL settings say; unset means nobody and nothing.

CREATE OR REPLACE FUNCTION app_known() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(current_setting('gridmap.actor', true), '') <> '' $$;

CREATE OR REPLACE FUNCTION app_account() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('gridmap.account', true), '')::uuid $$;

CREATE OR REPLACE FUNCTION app_units() RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('gridmap.units', true), '')::uuid[], '{}') $$;

CREATE OR REPLACE FUNCTION app_can(verb text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT verb = ANY (string_to_array(coalesce(current_setting('gridmap.verbs', true), ''), ',')) $$;

-- kind: case_paths, map_paths, write_paths or wall_paths. The array's empty path holds every area.
CREATE OR REPLACE FUNCTION app_paths(kind text) RETURNS public.ltree[]
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('gridmap.' || kind, true), '')::public.ltree[], '{}') $$;

-- The transaction's one `now`, handed in by whoever opened it, so that a replay or a drill sees its own time.
CREATE OR REPLACE FUNCTION app_now() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('gridmap.now', true), '')::timestamptz, now()) $$;

-- Incidents shared with the actor: as an account, through a unit, or through an area that is theirs.
CREATE OR REPLACE FUNCTION app_shared_incidents() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT coalesce(array_agg(DISTINCT s.incident_id), '{}')
  FROM share s
  WHERE s.incident_id IS NOT NULL
    AND (s.expires_at IS NULL OR s.expires_at > app_now())
    AND (s.account_id = app_account()
         OR s.unit_id = ANY (app_units())
         OR s.area_path <@ ANY (app_paths('case_paths')))
$$;

CREATE OR REPLACE FUNCTION app_shared_tasks() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT coalesce(array_agg(DISTINCT found.id), '{}')
  FROM (SELECT s.task_id AS id
        FROM share s
        WHERE s.task_id IS NOT NULL
          AND (s.expires_at IS NULL OR s.expires_at > app_now())
          AND (s.account_id = app_account() OR s.unit_id = ANY (app_units()))
        UNION ALL
        -- The checklist of a case goes with the case.
        SELECT t.id
        FROM share s JOIN task t ON t.subject_kind = 'incident' AND t.subject_id = s.incident_id
        WHERE s.incident_id IS NOT NULL
          AND (s.expires_at IS NULL OR s.expires_at > app_now())
          AND s.unit_id = ANY (app_units())) found
$$;

-- One row per batch whose rows may be shown; rows without a batch are always shown.
CREATE OR REPLACE FUNCTION hidden_batches() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$ SELECT coalesce(array_agg(id), '{}') FROM import_batch WHERE visible_at IS NULL $$;
