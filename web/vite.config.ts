import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// The API serves what is built here under /static/app; api/web.py reads the manifest to name the files.
export default defineConfig({
  base: '/static/app/',
  plugins: [vue()],
  build: {
    outDir: '../api/static/app',
    emptyOutDir: true,
    manifest: 'manifest.json',
    target: 'es2020', // office browsers follow Chromium years behind
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rollupOptions: { input: ['src/main.ts', 'src/wall.ts'] }, // the page, and the lines of `cuntong noc`
  },
})
