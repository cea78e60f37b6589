import { openPage } from "@shared/page";
import App from "./App.vue";

void openPage(App, { live: true });
