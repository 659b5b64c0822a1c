// Lines of the wall screen (`cuntong noc`): each drawing that the server sent is drawn again with axes, limits and values.
import { LineChart } from 'echarts/charts'
import { GridComponent, MarkLineComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

use([LineChart, GridComponent, MarkLineComponent, TooltipComponent, CanvasRenderer])

interface Drawing {
  unit: string
  bad_from: number | null
  bad_to: number | null
  lines: { name: string; points: [number, number][] }[]
}

const COLOURS = ['#4cc38a', '#62b0ff', '#ffd479', '#ff9a76', '#c39bff', '#8fe0e0'] // as .c0 to .c5 of wall.css
const CHINA_MS = 8 * 3_600_000 // a wall shows China's time, wherever its browser thinks that it is
const SHORTEST_MS = 600_000

/** A value of an axis with its unit, as the server writes it beside the names (cuntong/wall/drawing.py). */
function shown(value: number, unit: string): string {
  const short = (size: number, letter: string) => `${+(value / size).toFixed(1)} ${letter}`
  const many = () => value >= 1e9 ? short(1e9, 'G') : value >= 1e6 ? short(1e6, 'M') : value >= 1e4 ? short(1e3, 'k') : `${+value.toFixed(2)}`
  switch (unit) {
    case 'ratio': return `${+(value * 100).toFixed(1)}%`
    case 'seconds': return value < 1 ? `${+(value * 1000).toFixed(1)} ms` : value < 60 ? `${+value.toFixed(1)} 秒` : `${+(value / 60).toFixed(1)} 分钟`
    case 'bits': return `${many()}bit/s`
    case 'bytes': return value < 2 ** 30 ? `${Math.round(value / 2 ** 20)} MiB` : `${(value / 2 ** 30).toFixed(1)} GiB`
    case 'celsius': return `${+value.toFixed(1)} °C`
    case 'dbm': return `${+value.toFixed(1)} dBm`
    default: return many()
  }
}

function draw(place: HTMLElement, told: Drawing): void {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const font = parseFloat(style.fontSize) * 0.9
  const yes = told.unit === 'state'
  const times = told.lines.flatMap((one) => one.points.map(([at]) => at * 1000 + CHINA_MS))
  const last = Math.max(...times)
  const limits = [told.bad_from, told.bad_to].filter((one): one is number => one !== null && !yes)
  const highest = Math.max(...told.lines.flatMap((one) => one.points.map(([, value]) => value)))
  const chart = init(place)
  chart.setOption({
    animation: false,
    useUTC: true,
    color: COLOURS,
    textStyle: { color: colour('quiet'), fontSize: font, fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 16, top: 12, bottom: 4, containLabel: true },
    tooltip: { trigger: 'axis', renderMode: 'richText', valueFormatter: (value: unknown) => shown(Number(value), told.unit) },
    xAxis: {
      type: 'time', min: Math.min(...times, last - SHORTEST_MS), max: last, axisLine: { lineStyle: { color: colour('line') } },
      axisLabel: { color: colour('quiet'), fontSize: font, formatter: '{HH}:{mm}', hideOverlap: true }, splitNumber: 4,
    },
    yAxis: {
      type: 'value', splitNumber: 3, ...(yes ? { min: 0, max: 1, interval: 1 } : { min: (one: { min: number }) => Math.min(0, one.min) }),
      splitLine: { lineStyle: { color: colour('line') } },
      axisLabel: { color: colour('quiet'), fontSize: font, formatter: (value: number) => yes ? (value ? '正常' : '异常') : shown(value, told.unit) },
    },
    series: told.lines.map((one, at) => ({
      type: 'line', name: one.name, data: one.points.map(([when, value]) => [when * 1000 + CHINA_MS, value]),
      step: yes ? 'end' : false, showSymbol: one.points.length === 1, symbolSize: 7, lineStyle: { width: 2 },
      ...(told.lines.length === 1 && !yes ? { areaStyle: { opacity: 0.15 } } : {}),
      // A limit far above every line would press them flat: it is drawn where it can be seen.
      ...(at === 0 && limits.some((limit) => limit <= highest * 2)
        ? { markLine: { silent: true, symbol: 'none', lineStyle: { color: colour('bad'), type: 'dashed' }, label: { show: false }, data: limits.filter((limit) => limit <= highest * 2).map((limit) => ({ yAxis: limit })) } }
        : {}),
    })),
  })
  new ResizeObserver(() => chart.resize()).observe(place)
}

for (const one of document.querySelectorAll<HTMLElement>('[data-lines]')) {
  const told = JSON.parse(one.dataset.lines ?? '') as Drawing
  const place = document.createElement('div')
  place.className = 'canvas'
  one.replaceChildren(place)
  draw(place, told)
}
