// Draws one chart with uPlot. The library is fetched when the first chart appears; what it shows comes as plain JSON.

const DAY = 86_400;
let library;

function load() {
  library ??= new Promise((resolve, reject) => {
    const file = document.querySelector('meta[name="orrery-uplot"]')?.content;
    if (!file) return reject(new Error("This build has no chart library: the values are in the table"));
    const script = document.createElement("script");
    script.src = file;
    script.onload = () => resolve(window.uPlot);
    script.onerror = () => {
      library = undefined;
      reject(new Error("The chart library could not be read: the values are in the table"));
    };
    document.head.append(script);
  });
  return library;
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Plot {
  constructor(host, tick, hover, zoom, failed) {
    Object.assign(this, { host, tick, hover, zoom, failed, data: null, plot: null, gone: false });
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(host);
    this.themes = new MutationObserver(() => this.redraw());
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "style"] });
  }

  async show(json) {
    this.data = JSON.parse(json);
    try {
      await Promise.all([load(), document.fonts.ready]);
      this.redraw();
    } catch (error) {
      this.failed(error.message);
    }
  }

  resize() {
    if (this.plot && this.host.clientWidth >= 40) this.plot.setSize(this.size());
  }

  size() {
    return { width: Math.max(this.host.clientWidth, 40), height: this.host.clientHeight };
  }

  color(token) {
    return getComputedStyle(this.host).getPropertyValue(token).trim() || "currentColor";
  }

  /** Colors and fonts are read from the page, so a theme or another text size needs a new drawing. */
  redraw() {
    if (!window.uPlot || !this.data || this.gone) return;
    const at = this.plot?.cursor.idx ?? null;
    this.plot?.destroy();
    this.host.replaceChildren();
    this.plot = new window.uPlot(this.options(), this.columns(), this.host);
    if (at !== null && this.focused()) this.point(at);
  }

  focused() {
    return document.activeElement === this.host;
  }

  /** Layers of a stack are sums; the topmost is drawn first, so that lower ones cover their part of it. */
  columns() {
    const { at_ms, series, kind } = this.data;
    const times = at_ms.map((ms) => ms / 1000);
    if (kind !== "stack") return [times, ...series.map((one) => one.values)];
    const sums = [];
    const below = new Array(times.length).fill(0);
    for (const one of series) {
      const layer = times.map((_, at) => (below[at] += one.values[at] ?? 0));
      sums.push(layer);
    }
    return [times, ...sums.reverse()];
  }

  options() {
    const { uPlot } = window;
    const { kind, series, step_ms, limits } = this.data;
    const scale = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--text-scale")) || 1;
    const font = `${11 * scale}px ${this.color("--font-code")}`;
    const line = this.color("--hairline");
    const words = this.color("--text-faint");
    const step = step_ms / 1000;
    const stacked = kind === "stack";
    const layers = stacked ? [...series].reverse() : series;
    const bars = uPlot.paths.bars({ size: [0.8, 48], align: 1, gap: 1 });
    const lines = uPlot.paths.linear();
    const axis = { stroke: words, font, ticks: { show: false }, grid: { stroke: line, width: 1 } };
    const space = Math.round(56 * scale);
    const most = this.most(stacked);
    return {
      ...this.size(),
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: {
        drag: { x: Boolean(this.zoom), y: false, setScale: false },
        y: false,
        points: { show: !stacked, size: 6 },
        bind: { dblclick: () => () => (this.zoom?.(0, 0), null) },
      },
      scales: {
        x: { time: true, range: (_, low, high) => (step ? [low, high + step] : [low, high === low ? high + 1 : high]) },
        y: { range: [0, most] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: Math.round(22 * scale), space: Math.round(70 * scale), values: (_, splits) => splits.map((at, index) => this.moment(at, splits[index - 1], step)) },
        { ...axis, side: 1, size: space, space: Math.round(34 * scale), values: (_, splits) => splits.map((value) => this.tick(value)) },
      ],
      series: [
        {},
        ...layers.map((one) => ({
          label: one.name,
          stroke: this.color(one.color),
          fill: stacked ? this.color(one.color) : undefined,
          width: stacked ? 0 : 1.5,
          dash: one.dashed ? [4, 3] : undefined,
          paths: stacked ? bars : lines,
          points: { show: !stacked && this.data.at_ms.length < 2 },
          spanGaps: false,
        })),
      ],
      hooks: {
        setCursor: [(plot) => !this.quiet && this.hover(this.index(plot))],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (!this.zoom || width < 4) return;
            const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
            plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            this.zoom(Math.round(from * 1000), Math.round(to * 1000));
          },
        ],
        draw: [(plot) => limits.forEach((limit) => this.limit(plot, limit, font))],
      },
    };
  }

  /** The step under the pointer: the last that began before it. */
  index(plot) {
    if (plot.cursor.left < 0) return -1;
    if (!this.data.step_ms) return plot.cursor.idx ?? -1;
    const ms = plot.posToVal(plot.cursor.left, "x") * 1000;
    return this.data.at_ms.findLastIndex((at) => at <= ms);
  }

  /** Top of the vertical axis. */
  most(stacked) {
    const { series, limits, at_ms } = this.data;
    let most = 0;
    for (let at = 0; at < at_ms.length; at += 1) {
      const values = series.map((one) => one.values[at] ?? 0);
      most = Math.max(most, stacked ? values.reduce((sum, value) => sum + value, 0) : Math.max(0, ...values));
    }
    // A budget far above what was spent would press the bars flat.
    for (const limit of limits) if (limit.value <= most * 3) most = Math.max(most, limit.value);
    return most > 0 ? most * 1.08 : 1;
  }

  /** A day once, then hours of it. */
  moment(at, before, step) {
    const time = new Date(at * 1000);
    const was = before === undefined ? null : new Date(before * 1000);
    const day = `${time.getDate()} ${time.toLocaleString("en", { month: "short" })}`;
    if (step >= DAY) return !was || was.getMonth() !== time.getMonth() ? day : String(time.getDate());
    const clock = `${String(time.getHours()).padStart(2, "0")}:${String(time.getMinutes()).padStart(2, "0")}`;
    return was && was.getDate() !== time.getDate() ? day : clock;
  }

  limit(plot, limit, font) {
    const y = Math.round(plot.valToPos(limit.value, "y", true));
    const { left, top, width } = plot.bbox;
    if (y < top) return;
    const { ctx } = plot;
    ctx.save();
    ctx.strokeStyle = this.color("--text-muted");
    ctx.fillStyle = this.color("--text-muted");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(left, y + 0.5);
    ctx.lineTo(left + width, y + 0.5);
    ctx.stroke();
    ctx.font = font.replace(/^[\d.]+/, (size) => size * devicePixelRatio);
    ctx.textAlign = "left";
    ctx.textBaseline = "top";
    ctx.fillText(limit.name, left + 4, y + 3 * devicePixelRatio);
    ctx.restore();
  }

  point(index) {
    if (!this.plot) return;
    // Its own callback would say the same once more.
    this.quiet = true;
    this.plot.setCursor({ left: this.plot.valToPos(this.data.at_ms[index] / 1000 + this.data.step_ms / 2000, "x"), top: 8 });
    setTimeout(() => (this.quiet = false), still() ? 0 : 50);
  }

  async png(title) {
    const { canvas } = this.plot.ctx;
    const ratio = devicePixelRatio;
    const head = 56 * ratio;
    const whole = document.createElement("canvas");
    whole.width = canvas.width + 32 * ratio;
    whole.height = canvas.height + head + 16 * ratio;
    const ctx = whole.getContext("2d");
    ctx.fillStyle = this.color("--surface");
    ctx.fillRect(0, 0, whole.width, whole.height);
    ctx.textBaseline = "middle";
    ctx.fillStyle = this.color("--text");
    ctx.font = `600 ${15 * ratio}px ${this.color("--font-text")}`;
    ctx.fillText(title, 16 * ratio, 18 * ratio);
    ctx.font = `${12 * ratio}px ${this.color("--font-text")}`;
    let left = 16 * ratio;
    for (const one of this.data.series) {
      ctx.fillStyle = this.color(one.color);
      ctx.fillRect(left, 36 * ratio, 8 * ratio, 8 * ratio);
      ctx.fillStyle = this.color("--text-muted");
      ctx.fillText(one.name, left + 13 * ratio, 41 * ratio);
      left += ctx.measureText(one.name).width + 30 * ratio;
    }
    ctx.drawImage(canvas, 16 * ratio, head);
    return new Promise((resolve, reject) => whole.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
  }

  destroy() {
    this.gone = true;
    this.sizes.disconnect();
    this.themes.disconnect();
    this.plot?.destroy();
  }
}
