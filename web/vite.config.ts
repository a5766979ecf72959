import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

const webFolder = fileURLToPath(new URL('.', import.meta.url));
const protocolFile = fileURLToPath(new URL('../src/desk/protocol.ts', import.meta.url));

/** Where `vite web` (development only) finds the running service. */
const serviceUrl = process.env.YHT_WEB_PROXY ?? 'http://127.0.0.1:8080';

export default defineConfig({
  root: webFolder,
  plugins: [vue()],
  resolve: { alias: { '@desk/protocol': protocolFile } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // Nothing is inlined: the service's content security policy allows no data: scripts or fonts.
    assetsInlineLimit: 0,
    // Vite's preload helper would be the one inline script; all browsers of the target know modulepreload.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'element',
              test: /node_modules[\\/](element-plus|@element-plus|@popperjs|@floating-ui|lodash-es|@vueuse|dayjs)/,
            },
            { name: 'vendor', test: /node_modules[\\/]/ },
          ],
        },
      },
    },
  },
  server: {
    fs: { allow: [webFolder, fileURLToPath(new URL('..', import.meta.url))] },
    proxy: { '/api': serviceUrl, '/desk': { target: serviceUrl, ws: true } },
  },
});
