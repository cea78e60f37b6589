/** The picture of an incident class: its own where one tells more, else its group's. Shapes come from lucide. */
import {
  Bike, Building2, Bug, Car, CircleHelp, CloudRain, Construction, Droplets, Flame, FlaskConical, Fuel, HandHelping,
  HeartHandshake, HouseWifi, type IconNode, Lamp, Leaf, Megaphone, MessageCircleWarning, ParkingCircle, PersonStanding,
  Scale, ShieldAlert, Siren, Skull, Snowflake, Store, Swords, TrafficCone, Trash2, TreePine, TriangleAlert, Users,
  UtilityPole, Volume2, Waves, Wind, Wrench, Zap,
} from "lucide";

const GROUPS: Record<string, IconNode> = {
  hazard: TriangleAlert,
  order: ShieldAlert,
  dispute: Scale,
  care: HeartHandshake,
  service: HandHelping,
  market: Store,
  environment: Leaf,
  city: Building2,
  sign: Megaphone,
  works: Construction,
  street: PersonStanding,
  sudden: Siren,
  asset: UtilityPole,
  other: CircleHelp,
};

const CLASSES: Record<string, IconNode> = {
  "S1.01": Flame,
  "S1.02": Fuel,
  "S1.03": Zap,
  "S1.05": FlaskConical,
  "S1.07": Waves,
  "S2.01": Swords,
  "S2.04": Car,
  "S2.08": Users,
  "S2.10": Car,
  "S3.05": Users,
  "S3.06": HouseWifi,
  "S5.01": Wrench,
  "S5.02": Volume2,
  "S5.03": ParkingCircle,
  "S5.05": MessageCircleWarning,
  "S7.01": Droplets,
  "S7.02": Flame,
  "S7.03": Wind,
  "C1.01": Trash2,
  "C1.05": TreePine,
  "C1.06": Bug,
  "C3.02": TrafficCone,
  "C4.04": Bike,
  "C5.01": Droplets,
  "C5.03": CloudRain,
  "C5.04": Zap,
  "C5.05": Snowflake,
  "C5.06": Skull,
  "C6.01": Lamp,
  "C6.02": TrafficCone,
};

export interface IconSource {
  key: string;
  parent: string | null;
  icon: string | null;
}

/** The name under which the map keeps the picture of a class: classes that look alike share one. */
export function iconKey(item: IconSource | undefined, group: IconSource | undefined): string {
  if (item && CLASSES[item.key]) return item.key;
  return item?.icon ?? group?.icon ?? "other";
}

export function iconNode(key: string): IconNode {
  return CLASSES[key] ?? GROUPS[key] ?? GROUPS.other!;
}
