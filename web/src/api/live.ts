import { onUnmounted, ref, shallowRef, watch } from 'vue'
import type { Ref, ShallowRef } from 'vue'
import { Refused, ask } from './client'
import type { Query } from './client'

/** Grows whenever the server's snapshot changed. One stream for the whole page. */
export const news = ref(0)
export const connected = ref(true)

let stream: EventSource | undefined

export function listen(): void {
  if (stream) return
  stream = new EventSource('/v1/events')
  stream.addEventListener('snapshot', () => (news.value += 1))
  stream.onopen = () => (connected.value = true)
  stream.onerror = () => (connected.value = false)
}

export interface Asked<Answer> {
  data: ShallowRef<Answer | undefined>
  error: Ref<Refused | undefined>
  loading: Ref<boolean>
  again: () => Promise<void>
}

/**
 * The answer to a question that follows the view's parameters and the server's news. An older answer that comes late
 * never replaces a newer one; while asking, the last answer stays on the page.
 */
export function useAnswer<Answer>(question: () => [path: string, query?: Query] | null): Asked<Answer> {
  const data = shallowRef<Answer>()
  const error = ref<Refused>()
  const loading = ref(false)
  let turn = 0

  async function again(): Promise<void> {
    const asked = question()
    if (!asked) return
    const mine = ++turn
    loading.value = true
    try {
      const answer = await ask<Answer>(...asked)
      if (mine === turn) [data.value, error.value] = [answer, undefined]
    } catch (problem) {
      if (mine === turn) error.value = problem as Refused
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  watch(() => JSON.stringify(question()), again, { immediate: true })
  watch(news, again)
  onUnmounted(() => (turn += 1))
  return { data, error, loading, again }
}
