import { page } from './page'

const locale = page.language === 'zh' ? 'zh-CN' : 'en-GB'
const numbers = new Intl.NumberFormat(locale)
const zone = 'Asia/Shanghai'

export const number = (value: number): string => numbers.format(value)

/** One decimal, and never rounded up to the whole: 999 of 1,000 is not 100 %. */
export function percent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return '—'
  return ratio === 1 ? '100%' : `${(Math.floor(ratio * 1000) / 10).toFixed(1)}%`
}

const date = new Intl.DateTimeFormat(locale, { timeZone: zone, year: 'numeric', month: 'long', day: 'numeric' })
const minute = new Intl.DateTimeFormat('sv-SE', {
  timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
})

export const day = (value: string | Date): string => date.format(new Date(value))
export const moment = (value: string | null | undefined): string => (value ? minute.format(new Date(value)) : '')

/** `2026-11-30`, Beijing time. */
export const dayCode = (value: string): string => moment(value).slice(0, 10)

/** As long as it is worth knowing: `45 min`, `3 h 5 min`, `12 d`. */
export function duration(seconds: number): string {
  const zh = page.language === 'zh'
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1) return zh ? `${Math.floor(seconds)} 秒` : `${Math.floor(seconds)} s`
  if (minutes < 60) return zh ? `${minutes} 分钟` : `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return zh ? `${hours} 小时 ${minutes % 60} 分` : `${hours} h ${minutes % 60} min`
  return zh ? `${Math.floor(hours / 24)} 天` : `${Math.floor(hours / 24)} d`
}
