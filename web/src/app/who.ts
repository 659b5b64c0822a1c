import { ref } from 'vue'
import { page } from './page'

export const user = page.user

/** Whether somebody logged in may do this somewhere; what he may do nowhere is not shown. Where, the API says. */
export const may = (action: string): boolean => user?.may.includes(action) ?? false

/** The box for logging in stands open: somebody asked for it, or the session has ended. */
export const asking = ref(false)
