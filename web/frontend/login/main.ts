import { createApp } from "vue";
import { i18n } from "@shared/i18n";
import "@shared/theme/theme";
import "@shared/theme/base.css";
import App from "./App.vue";

createApp(App).use(i18n).mount("#app");
