import './zod-setup.ts';
import './styles/element.ts';
import './styles/base.css';
import zhCn from 'element-plus/es/locale/lang/zh-cn.mjs';
import { createPinia } from 'pinia';
import { createApp, ref } from 'vue';
import App from './App.vue';
import { ElMessageBox, localeContextKey } from './elements.ts';
import { router } from './router.ts';

const app = createApp(App).use(createPinia()).use(router);
app.provide(localeContextKey, ref(zhCn));
// The box is made outside the tree of components and finds the language only through the app.
app.use(ElMessageBox);
app.mount('#app');
