import { createRouter, createWebHistory } from 'vue-router';
import type { Person } from './api.ts';
import { useSessionStore } from './stores/session.ts';

/** The page where this person works. */
export const homeOf = (person: Person): string => (person.role === 'subcentre' ? '/subcentre' : '/');

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/login', component: () => import('./pages/LoginPage.vue') },
    { path: '/', component: () => import('./pages/AgentDesk.vue') },
    { path: '/subcentre', component: () => import('./pages/SubcentreDesk.vue') },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
});

router.beforeEach(async (to) => {
  const session = useSessionStore();
  if (session.state === 'unknown' || session.state === 'unreachable') await session.check();
  // App.vue covers the page until the service can be asked.
  if (session.state === 'unreachable') return true;
  const { person } = session;
  if (person === null) return to.path === '/login' ? true : '/login';
  return to.path === homeOf(person) ? true : homeOf(person);
});
