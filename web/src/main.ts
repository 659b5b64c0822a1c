import { createApp } from 'vue'
import App from './app/App.vue'
import { router } from './app/router'
import './style.css'

// The server's own page stands in #app until this takes over, and stays where scripts do not run.
document.getElementById('server-style')?.remove()
document.querySelectorAll<HTMLLinkElement>('link.program-style').forEach((link) => (link.media = 'all'))
createApp(App).use(router).mount('#app')
