// What the server wrote into the page: the language, every message in it, and what it serves.

export interface Page {
  language: 'zh' | 'en'
  title: string
  top: string
  version: string
  /** The server's day in China: a browser's clock may say anything. */
  today: string
  waivers: { what: string; until: string; reason: string }[]
  requirements: Record<string, string>
  public: boolean
  assessed: boolean
  mapped: boolean
  user: { account: string; name: string; roles: string[]; may: string[] } | null
  messages: Record<string, string>
}

const told = document.getElementById('page')?.textContent ?? '{}'
export const page: Page = JSON.parse(told)

/** A message with its values filled in; the key itself where the catalogue lacks it, so that a gap is seen. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = page.messages[key]
  if (text === undefined) return key
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole))
}

export function has(key: string): boolean {
  return key in page.messages
}

/** A message whose key is a prefix and a code of the API's, such as a reason; the code where nobody named it. */
export function named(prefix: string, code: string | null | undefined): string {
  if (!code) return ''
  return has(`${prefix}.${code}`) ? t(`${prefix}.${code}`) : code
}
