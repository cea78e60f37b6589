-- Who may swap duty with whom: units of the same kind beside the actor's own, under the same area one level up, but never
-- out of their county. Rosters of colleagues hang on every station's wall, so times and call signs are told; persons are not.
CREATE OR REPLACE FUNCTION colleague_units() RETURNS TABLE (unit_id uuid, call_sign text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT DISTINCT u.id, u.call_sign
  FROM unit own
  LEFT JOIN area home ON home.id = CASE WHEN nlevel(own.scope_path) > 0 THEN ltree2text(subpath(own.scope_path, -1))::int END
  JOIN unit u ON u.kind = own.kind AND u.withdrawn_at IS NULL
   AND u.scope_path <@ CASE WHEN home.level IN ('township', 'community', 'grid') THEN subpath(own.scope_path, 0, -1)
                            ELSE own.scope_path END
  WHERE own.id = ANY (app_units())
$$;

-- Names of the crew and the partner on the spans of the actor's own units, and on those they may read anyway.
CREATE OR REPLACE FUNCTION roster_names(entries uuid[]) RETURNS TABLE (entry_id uuid, person_name text, partner_name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT r.id, p.name, q.name
  FROM roster_entry r JOIN unit u ON u.id = r.unit_id
  LEFT JOIN person p ON p.id = r.person_id LEFT JOIN person q ON q.id = r.partner_person_id
  WHERE r.id = ANY (entries)
    AND (r.unit_id = ANY (app_units()) OR (app_can('unit.read') AND u.scope_path <@ ANY (app_paths('map_paths'))))
$$;
