import { ref, watchEffect } from 'vue'

// 大字 and 高对比 are remembered on this machine: they belong to whoever sits before it, not to the address.
export type Size = 'normal' | 'large'
export type Contrast = 'normal' | 'high'

export const size = ref<Size>(localStorage.getItem('size') === 'large' ? 'large' : 'normal')
export const contrast = ref<Contrast>(localStorage.getItem('contrast') === 'high' ? 'high' : 'normal')

watchEffect(() => {
  document.documentElement.dataset['size'] = size.value
  document.documentElement.dataset['contrast'] = contrast.value
  localStorage.setItem('size', size.value)
  localStorage.setItem('contrast', contrast.value)
})
