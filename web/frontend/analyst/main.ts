import { openPage } from "@shared/page";
import App from "./App.vue";
import "./analyst.css";

void openPage(App, { live: false });
