import { openPage } from "@shared/page";
import App from "./App.vue";
import "./field.css";
import { preferLight } from "./state/sunlight";
import { watchInstall } from "./state/install";
import { unlockAtFirstTouch } from "./state/ringing";
import { registerShell } from "./state/shell";

preferLight();
watchInstall();
unlockAtFirstTouch();
registerShell();
void openPage(App, { live: true, sharedFeed: false });
