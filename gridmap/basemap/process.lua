-- What of an OpenStreetMap extract goes into the base map's tiles, from which zoom on, and with which few fields.
-- Runs inside tilemaker 2.x. Layers: water, green, ground, roads, buildings, places, numbers, points.

node_keys = { "place", "addr:housenumber", "amenity", "railway", "shop", "tourism", "barrier" }

function init_function()
end

function exit_function()
end

local road_class = {
  motorway = "motorway", motorway_link = "motorway",
  trunk = "trunk", trunk_link = "trunk",
  primary = "primary", primary_link = "primary",
  secondary = "secondary", secondary_link = "secondary",
  tertiary = "tertiary", tertiary_link = "tertiary",
  residential = "street", unclassified = "street", living_street = "street", road = "street",
  service = "lane", track = "lane",
  pedestrian = "path", footway = "path", path = "path", steps = "path", cycleway = "path", bridleway = "path",
}

local road_zoom = {
  motorway = 7, trunk = 8, primary = 9, secondary = 10, tertiary = 11, street = 12, lane = 13, path = 14, rail = 11,
}

-- Wider roads are drawn above narrower ones where they meet.
local road_rank = {
  motorway = 8, trunk = 7, primary = 6, secondary = 5, tertiary = 4, street = 3, lane = 2, path = 1, rail = 0,
}

local green_class = {
  forest = "wood", wood = "wood", scrub = "wood",
  park = "park", garden = "park", nature_reserve = "park", golf_course = "park", recreation_ground = "park",
  village_green = "park", playground = "park", pitch = "park", dog_park = "park", cemetery = "park",
  grass = "grass", meadow = "grass", grassland = "grass", heath = "grass", greenfield = "grass", flowerbed = "grass",
  farmland = "field", orchard = "field", vineyard = "field", allotments = "field", plant_nursery = "field",
  wetland = "grass",
}

local ground_class = {
  residential = "residential", commercial = "work", retail = "work", industrial = "work", institutional = "work",
  education = "work", military = "work", railway = "work", construction = "work",
}

local water_lines = { river = 9, canal = 11, stream = 13, drain = 14, ditch = 14 }

local place_zoom = {
  city = 4, town = 8, borough = 10, suburb = 10, village = 10, quarter = 13, neighbourhood = 14, hamlet = 13,
  island = 11, square = 15, city_block = 15, isolated_dwelling = 14, locality = 14, farm = 15, islet = 14,
}

local place_rank = {
  city = 1, town = 2, borough = 3, suburb = 4, island = 5, village = 5, quarter = 6, hamlet = 7, neighbourhood = 8,
  square = 9, city_block = 9, isolated_dwelling = 10, farm = 10, locality = 10, islet = 10,
}

-- Things people name when they say where they are.
local point_class = {
  hospital = "hospital", clinic = "hospital", police = "police", fire_station = "fire_station",
  school = "school", kindergarten = "school", university = "school", college = "school",
  townhall = "townhall", courthouse = "townhall", marketplace = "market", bus_station = "station",
  library = "culture", theatre = "culture", museum = "culture", place_of_worship = "worship",
  bank = "shop", pharmacy = "shop", fuel = "shop", restaurant = "shop", internet_cafe = "shop",
  supermarket = "shop", mall = "shop", convenience = "shop", department_store = "shop", bakery = "shop",
  hotel = "shop", attraction = "culture",
}
local point_zoom = {
  hospital = 13, police = 13, fire_station = 13, townhall = 14, station = 13, school = 14, market = 15, culture = 15,
  worship = 16, shop = 17,
}

local function add_names(thing)
  local name = thing:Find("name")
  local zh = thing:Find("name:zh")
  local en = thing:Find("name:en")
  if name ~= "" then thing:Attribute("name", name) end
  if zh ~= "" and zh ~= name then thing:Attribute("zh", zh) end
  if en ~= "" and en ~= name then thing:Attribute("en", en) end
  return name ~= ""
end

local function add_point(thing, layer_function)
  local kind = thing:Find("amenity")
  if kind == "" then kind = thing:Find("tourism") end
  if kind == "" then kind = thing:Find("shop") end
  if kind == "" and thing:Find("railway") == "station" then kind = "bus_station" end
  local class = point_class[kind]
  if class == nil and thing:Find("shop") ~= "" then class = "shop" end
  if class == nil or thing:Find("name") == "" then return end
  layer_function("points")
  thing:MinZoom(point_zoom[class])
  thing:Attribute("class", class)
  add_names(thing)
end

local function add_number(thing, layer_function)
  local number = thing:Find("addr:housenumber")
  if number == "" then return end
  layer_function("numbers")
  thing:Attribute("number", number)
end

function node_function(node)
  local function as_layer(name) node:Layer(name, false) end
  local place = node:Find("place")
  if place_zoom[place] ~= nil and node:Find("name") ~= "" then
    node:Layer("places", false)
    node:MinZoom(place_zoom[place])
    node:Attribute("class", place)
    node:AttributeNumeric("rank", place_rank[place])
    add_names(node)
    return
  end
  local barrier = node:Find("barrier")
  if barrier == "gate" or barrier == "lift_gate" or barrier == "entrance" then
    node:Layer("gates", false)
    return
  end
  add_point(node, as_layer)
  add_number(node, as_layer)
end

local function add_road(way, highway)
  local class = road_class[highway]
  if class == nil then return end
  local zoom = road_zoom[class]
  local link = highway:find("_link") ~= nil
  if link and zoom < 11 then zoom = 11 end
  way:Layer("roads", false)
  way:MinZoom(zoom)
  way:Attribute("class", class)
  way:ZOrder(road_rank[class])
  if link or way:Find("service") ~= "" then way:AttributeBoolean("minor", true) end
  local bridge = way:Find("bridge")
  if bridge ~= "" and bridge ~= "no" then way:AttributeBoolean("bridge", true) end
  local tunnel = way:Find("tunnel")
  if tunnel ~= "" and tunnel ~= "no" then way:AttributeBoolean("tunnel", true) end
  local oneway = way:Find("oneway")
  if oneway == "yes" or oneway == "1" then way:AttributeNumeric("oneway", 1) end
  if oneway == "-1" then way:AttributeNumeric("oneway", -1) end
  add_names(way)
end

local function add_rail(way)
  local kind = way:Find("railway")
  if kind ~= "rail" and kind ~= "light_rail" and kind ~= "subway" and kind ~= "tram" then return end
  way:Layer("roads", false)
  way:MinZoom(road_zoom.rail)
  way:Attribute("class", "rail")
  way:ZOrder(road_rank.rail)
  local tunnel = way:Find("tunnel")
  if tunnel ~= "" and tunnel ~= "no" then way:AttributeBoolean("tunnel", true) end
end

local function area_zoom(way)
  local area = way:Area()
  if area > 4000000 then return 7 end
  if area > 400000 then return 9 end
  if area > 40000 then return 11 end
  if area > 4000 then return 12 end
  return 14
end

local function add_water(way)
  local natural = way:Find("natural")
  local landuse = way:Find("landuse")
  local waterway = way:Find("waterway")
  if natural == "water" or landuse == "reservoir" or landuse == "basin" or waterway == "riverbank" or waterway == "dock" then
    way:Layer("water", true)
    way:MinZoom(area_zoom(way))
    if add_names(way) then
      way:LayerAsCentroid("places")
      way:MinZoom(math.max(12, area_zoom(way)))
      way:Attribute("class", "water")
      way:AttributeNumeric("rank", 6)
      add_names(way)
    end
    return true
  end
  if water_lines[waterway] ~= nil then
    way:Layer("streams", false)
    way:MinZoom(water_lines[waterway])
    way:Attribute("class", waterway)
    add_names(way)
    return true
  end
  return false
end

local function add_ground(way)
  local class = green_class[way:Find("leisure")] or green_class[way:Find("landuse")] or green_class[way:Find("natural")]
  if class ~= nil then
    way:Layer("green", true)
    way:MinZoom(area_zoom(way))
    way:Attribute("class", class)
    if class == "park" and way:Find("name") ~= "" then
      way:LayerAsCentroid("places")
      way:MinZoom(math.max(13, area_zoom(way)))
      way:Attribute("class", "park")
      way:AttributeNumeric("rank", 8)
      add_names(way)
    end
    return
  end
  local kind = way:Find("landuse")
  if kind == "" then kind = way:Find("amenity") end
  local ground = ground_class[kind]
  if ground == nil and (kind == "school" or kind == "university" or kind == "college" or kind == "hospital") then
    ground = "work"
  end
  if ground ~= nil then
    way:Layer("ground", true)
    way:MinZoom(math.max(10, area_zoom(way)))
    way:Attribute("class", ground)
  end
end

local function add_building(way)
  way:Layer("buildings", true)
  way:MinZoom(13)
  local levels = tonumber(way:Find("building:levels"))
  if levels ~= nil then way:AttributeNumeric("levels", levels) end
end

function way_function(way)
  local function as_layer(name) way:LayerAsCentroid(name) end
  local highway = way:Find("highway")
  if highway ~= "" then add_road(way, highway) end
  if way:Find("railway") ~= "" then add_rail(way) end
  local building = way:Find("building")
  local is_building = building ~= "" and building ~= "no"
  if is_building then add_building(way) end
  if not add_water(way) and highway == "" and way:IsClosed() and not is_building then add_ground(way) end
  local barrier = way:Find("barrier")
  if barrier == "wall" or barrier == "fence" or barrier == "city_wall" then
    way:Layer("walls", false)
    way:MinZoom(14)
  end
  if highway == "" and way:IsClosed() then
    add_point(way, as_layer)
    add_number(way, as_layer)
    if is_building and way:Find("name") ~= "" and way:Find("amenity") == "" then
      way:LayerAsCentroid("points")
      way:MinZoom(16)
      way:Attribute("class", "building")
      add_names(way)
    end
  end
end
