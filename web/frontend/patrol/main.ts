import { openPage } from "@shared/page";
import App from "./App.vue";
import "./field.css";
import { preferLight } from "./state/sunlight";
import { registerShell } from "./state/shell";

preferLight();
registerShell();
void openPage(App, { live: true, sharedFeed: false });
