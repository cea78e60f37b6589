import { openPage } from "@shared/page";
import Root from "./Root.vue";

void openPage(Root, { live: true });
