/** How a division stands, for a map or a tile: all covered, nine tenths and more, below, nothing to cover. */
export function band(ratio: number | null): 'full' | 'most' | 'some' | 'none' {
  if (ratio === null) return 'none'
  return ratio === 1 ? 'full' : ratio >= 0.9 ? 'most' : 'some'
}
