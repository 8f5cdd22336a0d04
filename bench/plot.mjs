// The time for one target by the size of the table, each contender a line: level is linear growth.

const WIDTH = 720;
const HEIGHT = 300;
const MARGIN = { left: 64, right: 130, top: 34, bottom: 40 };
const COLOURS = ['#c2410c', '#1d4ed8', '#15803d', '#7e22ce', '#64748b'];

/** Rows of the report → an SVG with a panel for each of `jobs`. */
export function plot(rows, jobs = ['encode linear', 'encode text', 'decode linear']) {
  const panels = jobs
    .map((job) => rows.filter((row) => row.job === job))
    .filter((found) => new Set(found.map(({ n }) => n)).size > 1);
  const height = panels.length * HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...panels.map((found, i) => `<g transform="translate(0 ${i * HEIGHT})">${panel(found)}</g>`),
    '</svg>\n',
  ].join('\n');
}

/** By name of the contender its points [n, ns a target], the package's own first. */
function linesOf(rows) {
  const lines = new Map([['devicemapper', new Map()]]);
  for (const { n, peer, pkg_min, peer_min } of rows) {
    const own = lines.get('devicemapper');
    own.set(n, Math.min(own.get(n) ?? Infinity, pkg_min / n));
    if (!lines.has(peer)) lines.set(peer, new Map());
    lines.get(peer).set(n, peer_min / n);
  }
  return lines;
}

function panel(rows) {
  const lines = linesOf(rows);
  const sizes = [...new Set(rows.map(({ n }) => n))].sort((a, b) => a - b);
  const times = [...lines.values()].flatMap((points) => [...points.values()]);
  const low = 10 ** Math.floor(Math.log10(Math.min(...times)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...times)));
  const scale = (value, from, to, begin, end) =>
    begin +
    ((Math.log10(value) - Math.log10(from)) / (Math.log10(to) - Math.log10(from))) * (end - begin);
  const x = (n) => round(scale(n, sizes[0], sizes.at(-1), MARGIN.left, WIDTH - MARGIN.right));
  const y = (ns) => round(scale(ns, low, high, HEIGHT - MARGIN.bottom, MARGIN.top));
  const parts = [
    `<text x="${MARGIN.left}" y="18" font-weight="bold">${rows[0].job}: ns a target, by targets</text>`,
  ];
  for (let ns = low; ns <= high; ns *= 10) {
    parts.push(
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(ns)}" y2="${y(ns)}" stroke="#e2e8f0"/>`,
      `<text x="${MARGIN.left - 8}" y="${y(ns) + 4}" text-anchor="end">${ns.toLocaleString('en')}</text>`,
    );
  }
  for (const n of sizes) {
    const label = n.toLocaleString('en');
    parts.push(`<text x="${x(n)}" y="${HEIGHT - 16}" text-anchor="middle">${label}</text>`);
  }
  const ends = [];
  [...lines].forEach(([name, points], i) => {
    const colour = COLOURS[i % COLOURS.length];
    const path = [...points].sort(([a], [b]) => a - b).map(([n, ns]) => [x(n), y(ns)]);
    const wide = i === 0 ? 3 : 1.5;
    parts.push(
      `<polyline points="${path.map((point) => point.join()).join(' ')}" fill="none" stroke="${colour}" stroke-width="${wide}"/>`,
      ...path.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="${wide}" fill="${colour}"/>`),
    );
    ends.push({ name, colour, at: path.at(-1)[1] + 4 });
  });
  // Names that would stand on each other move apart.
  ends.sort((a, b) => a.at - b.at);
  ends.forEach((end, i) => {
    if (i > 0) end.at = Math.max(end.at, ends[i - 1].at + 14);
    const left = WIDTH - MARGIN.right + 10;
    parts.push(`<text x="${left}" y="${end.at}" fill="${end.colour}">${end.name}</text>`);
  });
  return parts.join('\n');
}

function round(value) {
  return Math.round(value * 10) / 10;
}
