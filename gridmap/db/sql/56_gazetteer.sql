-- Names of the public map, past row-level security: its predicates keep the trigram index from being used. Everybody
-- who is known may read all of it, and so may the importer, which acts as nobody.

CREATE OR REPLACE FUNCTION may_read_gazetteer() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT app_known() OR pg_has_role(session_user, 'gridmap_system', 'MEMBER') $$;

-- The name alone, without the pinyin and the other spellings behind it.
CREATE OR REPLACE FUNCTION first_word(words text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT split_part(words, ' ', 1) $$;

-- For the search box: `words` in normal form. The better the match the higher, then the weightier, then the nearer.
CREATE OR REPLACE FUNCTION gazetteer_search(words text, lon float8, lat float8, most int)
RETURNS TABLE (id uuid, kind text, name text, name_en text, place_lon float8, place_lat float8, radius_m float8, score float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  given text := btrim(left(words, 100));
  pattern text := replace(replace(replace(given, '\', '\\'), '%', '\%'), '_', '\_');
  here geometry := CASE WHEN lon IS NULL OR lat IS NULL THEN NULL ELSE ST_SetSRID(ST_MakePoint(lon, lat), 4326) END;
BEGIN
  IF given = '' OR NOT may_read_gazetteer() THEN RETURN; END IF;
  RETURN QUERY
    SELECT g.id, g.kind, g.name, g.name_en, ST_X(g.geom), ST_Y(g.geom), g.radius_m,
           CASE WHEN first_word(g.name_norm) = given THEN 4.0
                WHEN g.name_norm LIKE pattern || '%' THEN 3.0
                WHEN g.name_norm LIKE '% ' || pattern || '%' THEN 2.0
                WHEN g.name_norm LIKE '%' || pattern || '%' THEN 1.0
                ELSE word_similarity(given, g.name_norm)::float8 END AS score
    FROM gazetteer g
    WHERE g.name_norm LIKE '%' || pattern || '%' OR (length(given) >= 3 AND given <% g.name_norm)
    ORDER BY score DESC, g.weight DESC,
             CASE WHEN here IS NULL THEN 0 ELSE ST_Distance(g.geom, here) END, length(g.name_norm), g.name_norm, g.id
    LIMIT most;
END $$;

-- Every house number of these streets; the caller picks.
CREATE OR REPLACE FUNCTION gazetteer_houses(streets text[], most int)
RETURNS TABLE (street text, house_number text, name text, place_lon float8, place_lat float8, radius_m float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  IF NOT may_read_gazetteer() THEN RETURN; END IF;
  RETURN QUERY
    SELECT g.street_norm, g.house_number, g.name, ST_X(g.geom), ST_Y(g.geom), g.radius_m
    FROM gazetteer g
    WHERE g.street_norm = ANY (streets) AND g.house_number IS NOT NULL
    ORDER BY g.street_norm, g.house_number, g.id LIMIT most;
END $$;

CREATE OR REPLACE FUNCTION gazetteer_streets(streets text[], most int)
RETURNS TABLE (street text, name text, place_lon float8, place_lat float8, radius_m float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  IF NOT may_read_gazetteer() THEN RETURN; END IF;
  RETURN QUERY
    SELECT g.street_norm, g.name, ST_X(g.geom), ST_Y(g.geom), g.radius_m
    FROM gazetteer g
    WHERE g.street_norm = ANY (streets) AND g.house_number IS NULL AND g.kind = 'street'
    ORDER BY g.weight DESC, g.radius_m DESC, g.id LIMIT most;
END $$;

-- Names that are exactly one of `words` (how = 'exact'), that stand within the first of them ('within'), or that look
-- like it ('like'). Addresses and streets have their own ways.
CREATE OR REPLACE FUNCTION gazetteer_named(how text, words text[], most int)
RETURNS TABLE (kind text, name text, name_word text, place_lon float8, place_lat float8, radius_m float8, weight float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  IF NOT may_read_gazetteer() THEN RETURN; END IF;
  RETURN QUERY
    SELECT g.kind, g.name, first_word(g.name_norm), ST_X(g.geom), ST_Y(g.geom), g.radius_m, g.weight
    FROM gazetteer g
    WHERE g.kind IN ('building', 'landmark', 'place')
      AND CASE how
            WHEN 'exact' THEN g.name_norm LIKE ANY (SELECT replace(replace(replace(w, '\', '\\'), '%', '\%'), '_', '\_') || '%'
                                                    FROM unnest(words) w)
                              AND first_word(g.name_norm) = ANY (words)
            WHEN 'within' THEN length(first_word(g.name_norm)) >= 3 AND position(first_word(g.name_norm) IN words[1]) > 0
            ELSE words[1] <% g.name_norm AND similarity(words[1], first_word(g.name_norm)) >= 0.6 END
    ORDER BY length(first_word(g.name_norm)) DESC, g.weight DESC, g.radius_m, g.id
    LIMIT most;
END $$;

-- Where two streets of these names meet.
CREATE OR REPLACE FUNCTION street_crossings(first_name text, second_name text, most int)
RETURNS TABLE (place_lon float8, place_lat float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  IF NOT may_read_gazetteer() THEN RETURN; END IF;
  RETURN QUERY
    WITH meeting AS (
      SELECT ST_ClosestPoint(a.geom, b.geom) AS point, ST_Distance(a.geom, b.geom) AS apart
      FROM road a JOIN road b ON ST_DWithin(a.geom, b.geom, 0.0003)
      WHERE a.name = first_name AND b.name = second_name)
    SELECT ST_X(m.point), ST_Y(m.point) FROM meeting m ORDER BY m.apart, 1, 2 LIMIT most;
END $$;
