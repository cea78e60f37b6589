import { openPage } from "@shared/page";
import App from "./App.vue";
import "./admin.css";

void openPage(App, { live: false });
