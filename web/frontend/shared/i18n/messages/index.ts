import type { Catalogue } from "../catalogue";
import * as admin from "./admin";
import * as cases from "./cases";
import * as dispatching from "./dispatching";
import * as drawing from "./drawing";
import * as errors from "./errors";
import * as general from "./general";
import * as joint from "./joint";
import * as map from "./map";
import * as patrol from "./patrol";
import * as people from "./people";
import * as radio from "./radio";
import * as reporting from "./reporting";
import * as response from "./response";
import * as seats from "./seats";
import * as wall from "./wall";
import * as watching from "./watching";

export const catalogue = { ...general, ...people, ...map, ...cases, ...dispatching, ...reporting, ...errors, ...patrol, ...admin, ...wall, ...radio, ...drawing, ...seats, ...response, ...watching, ...joint } satisfies Catalogue;
