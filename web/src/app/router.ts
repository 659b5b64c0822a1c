import { createRouter, createWebHistory } from 'vue-router'
import type { RouteLocationRaw } from 'vue-router'
import { page } from './page'

// Every view is an address. Each is a file of its own, fetched when it is opened first.
export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
  routes: [
    { path: '/', name: 'overview', component: () => import('../views/OverviewView.vue') },
    { path: '/d/:code', name: 'division', component: () => import('../views/DivisionView.vue') },
    { path: '/villages', name: 'villages', component: () => import('../views/VillagesView.vue') },
    { path: '/s/:id', name: 'site', component: () => import('../views/SiteView.vue') },
    { path: '/network', name: 'network', component: () => import('../views/NetworkView.vue') },
    { path: '/outages', name: 'outages', component: () => import('../views/OutagesView.vue') },
    { path: '/milestones', name: 'milestones', component: () => import('../views/MilestonesView.vue') },
    { path: '/bulletins', name: 'bulletins', component: () => import('../views/BulletinsView.vue') },
    { path: '/tasks', name: 'tasks', component: () => import('../views/TasksView.vue') },
    { path: '/clerk', name: 'clerk', component: () => import('../views/ClerkView.vue') },
    { path: '/shift', name: 'shift', component: () => import('../views/ShiftView.vue') },
    { path: '/today', name: 'today', component: () => import('../views/TodayView.vue') },
    { path: '/notes', name: 'notes', component: () => import('../views/NotesView.vue') },
    { path: '/:rest(.*)*', name: 'nowhere', component: () => import('../views/NowhereView.vue') },
  ],
})

const VIEWS = ['overview', 'today', 'clerk', 'outages', 'shift', 'villages', 'network', 'milestones', 'bulletins', 'tasks', 'notes'] as const
const OWN: readonly string[] = ['today'] // of somebody who is logged in
const PUBLISHED: readonly string[] = ['overview', 'milestones', 'bulletins', 'notes']

/** The views of the navigation, in its order: of the public's only those that have something for it. */
export const PLACES = VIEWS.filter((name) => (!page.public || PUBLISHED.includes(name)) && (page.user || !OWN.includes(name)))

// The language is part of an address that is given away; it stays while one moves about.
router.beforeEach((to): RouteLocationRaw | true => {
  if (page.language === 'zh' || to.query['lang'] === page.language) return true
  return { ...to, query: { ...to.query, lang: page.language } } as RouteLocationRaw
})
